// Reads deliveries as JSON lines, {secret, headers, body}; writes for each whether the verifier of Standard Webhooks takes it.
import { createInterface } from 'node:readline';
import { Webhook } from 'standardwebhooks';

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  try {
    new Webhook(secret).verify(body, headers);
    process.stdout.write('true\n');
  } catch {
    process.stdout.write('false\n');
  }
}
