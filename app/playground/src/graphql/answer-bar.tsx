import { useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';
import { noteAnswer, useAnswer, type Answer, type Refusal, type Stream } from './answers';

const number = (value: number) => value.toLocaleString('en');

/** Below the answer: what went wrong in words, then status, time, cost and what is left to spend. */
export function AnswerBar() {
  const answer = useAnswer();
  const activeTabIndex = useGraphiQL((state) => state.activeTabIndex);
  useEffect(() => noteAnswer(null), [activeTabIndex]);
  return (
    <section className="gateway-answer" aria-label="About the last answer">
      <div aria-live="polite">{answer && answer.refusals.length > 0 && <Refusals refusals={answer.refusals} />}</div>
      {answer ? 'stream' in answer ? <StreamFacts {...answer} /> : <Facts answer={answer} /> : <p className="gateway-facts">Cost and remaining budget show here, once an operation has run.</p>}
    </section>
  );
}

function Refusals({ refusals }: { refusals: Refusal[] }) {
  return (
    <ul className="gateway-refusals">
      {refusals.slice(0, 20).map((one, index) => (
        <li key={index}>
          <strong>{one.title}</strong>
          {one.status !== undefined && <span className="gateway-refusal-code">{one.status} · {one.code}</span>}
          <p>{one.detail}{one.place && <span className="gateway-refusal-place"> ({one.place})</span>}</p>
          {one.faults.length > 0 && (
            <ul>
              {one.faults.map((fault, at) => <li key={at}>{fault.field && <code>{fault.field}</code>} {fault.message}</li>)}
            </ul>
          )}
          {one.page && <a href={one.page} target="_blank" rel="noopener">Cause and cure of “{one.title}”<span className="gateway-unseen"> (opens in a new tab)</span></a>}
        </li>
      ))}
    </ul>
  );
}

function Facts({ answer }: { answer: Answer }) {
  const { cost, budget } = answer;
  return (
    <dl className="gateway-facts">
      <Fact name="Status" value={String(answer.status)} />
      <Fact name="Time" value={`${number(Math.round(answer.milliseconds))} ms`} />
      {cost?.requested !== undefined && <Fact name="Cost" value={cost.limit === undefined ? number(cost.requested) : `${number(cost.requested)} of ${number(cost.limit)}`} title="What the operation may give, counted before it runs, of what one operation may cost" />}
      {cost?.units !== undefined && <Fact name="Spent" value={number(cost.units)} title="Units of your budget" />}
      {budget && <Fact name="Left" value={`${number(budget.left)} of ${number(budget.limit)}`} title={`Units of your budget; reset in ${budget.reset} s`} />}
      {!budget && answer.status === 200 && <Fact name="Left" value="no limit" />}
    </dl>
  );
}

function StreamFacts({ stream }: Stream) {
  return (
    <dl className="gateway-facts">
      <Fact name="Subscription" value={stream.state} />
      <Fact name="Events" value={number(stream.events)} title="The last one is shown" />
    </dl>
  );
}

function Fact({ name, value, title }: { name: string; value: string; title?: string }) {
  return <div {...(title ? { title } : {})}><dt>{name}</dt><dd>{value}</dd></div>;
}
