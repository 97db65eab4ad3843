// Reads questions as JSON lines, {"graphql": {query, variables}} or {"rest": text}; writes a line with the twin of each, or {"none": why}.
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { NoTwin, addressOf, curlLine, twinsOf } from '../../../app/playground/src/twin/twins.js';

const doors = JSON.parse(readFileSync(new URL('../../../app/playground/src/doors.json', import.meta.url), 'utf8'));
const twins = twinsOf(doors);

function twin({ graphql, rest, origin = '' }) {
  try {
    if (rest !== undefined) return twins.toGraphQL(rest);
    const found = twins.toRest(graphql.query, graphql.variables ?? {}, graphql.operationName);
    return found.map((one) => ({ ...one, address: addressOf(one.request), curl: curlLine(one.request, origin) }));
  } catch (fault) {
    if (!(fault instanceof NoTwin)) throw fault;
    return { none: fault.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${JSON.stringify(twin(JSON.parse(line)))}\n`);
