import { copy } from './copy';
import { demoKey } from './demo-key';

const key = demoKey();

for (const code of document.querySelectorAll('.gateway-code code')) {
  const here = code.textContent.replaceAll('http://127.0.0.1:8000', location.origin);
  code.textContent = key ? here.replaceAll('$KEY', key) : here;
}
if (key) document.getElementById('key-note')!.textContent = 'The key in these lines is the demo key of this server: they work as they stand.';

const status = document.getElementById('copied')!;
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-copy]')) {
  button.addEventListener('click', async () => {
    const text = document.getElementById(button.dataset.copy!)!.textContent;
    status.textContent = (await copy(text)) ? 'Copied.' : 'Your browser does not let this page copy; select the line instead.';
    setTimeout(() => (status.textContent = ''), 4000);
  });
}
