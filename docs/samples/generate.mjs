// Makes types for TypeScript of a running gateway: openapi.d.ts for REST, typed.ts for the documents of documents.graphql.
// API_URL and API_KEY say which gateway. Runs in the folder of the samples.
import { readFileSync, writeFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as typedDocuments from '@graphql-codegen/typed-document-node';
import * as operations from '@graphql-codegen/typescript-operations';
import { buildClientSchema, getIntrospectionQuery, parse, printSchema } from 'graphql';
import openapiTS, { astToString } from 'openapi-typescript';

const { API_URL: url, API_KEY: key } = process.env;
const headers = { 'Content-Type': 'application/json', 'X-API-Key': key };

const introspection = await fetch(`${url}/graphql`, {
  method: 'POST',
  headers,
  body: JSON.stringify({ query: getIntrospectionQuery() }),
});
const schema = buildClientSchema((await introspection.json()).data);

writeFileSync('openapi.d.ts', astToString(await openapiTS(new URL(`${url}/openapi.json`))));
writeFileSync('typed.ts', await codegen({
  filename: 'typed.ts',
  schema: parse(printSchema(schema)),
  documents: [{ location: 'documents.graphql', document: parse(readFileSync('documents.graphql', 'utf8')) }],
  config: { useTypeImports: true, enumsAsTypes: true, scalars: { ID: 'string', DateTime: 'string' } },
  plugins: [{ operations: {} }, { typedDocuments: {} }],
  pluginMap: { operations, typedDocuments },
}));
