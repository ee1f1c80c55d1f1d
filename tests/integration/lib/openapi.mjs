// SPDX-License-Identifier: Apache-2.0
//
// What the OpenAPI document of a listener says, held against what the listener answers.
//
//     const document = await person.json('/api/v1/openapi.json');
//     assert.deepEqual([...breaches(document, answerOf(document, 'get', '/api/v1/apps'), json, 'apps')], []);

// The schema of an operation's answer; undefined where it has no body.
export const answerOf = (document, method, path) =>
  document.paths[path][method].responses['2XX'].content?.['application/json'].schema;

const named = (document, reference) => document.components.schemas[reference.$ref.split('/').pop()];

// What an answer has that the document does not tell, and the other way round.
export function* breaches(document, schema, value, at) {
  if (schema.$ref) schema = named(document, schema);
  if (schema.anyOf) schema = value === null ? { type: 'null' } : named(document, schema.anyOf[0]);
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  const types = [schema.type].flat();
  if (!types.includes(type) && !(type === 'integer' && types.includes('number'))) yield `${at} is ${type}, not ${types}`;
  if (type === 'array') for (const [i, item] of value.entries()) yield* breaches(document, schema.items, item, `${at}[${i}]`);
  if (type !== 'object') return;
  for (const name of schema.required ?? []) if (!(name in value)) yield `${at}.${name} is missing`;
  for (const [name, item] of Object.entries(value)) {
    const known = schema.properties?.[name] ?? (schema.additionalProperties || undefined);
    if (known) yield* breaches(document, known, item, `${at}.${name}`);
    else yield `${at}.${name} is not told`;
  }
}

// {method, path, role, input} of each operation; input is the schema of its body, or undefined.
export function operations(document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(), path, role: operation['x-role'],
      input: operation.requestBody?.content['application/json'].schema,
    })));
}
