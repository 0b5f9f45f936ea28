import fc from 'fast-check';

export type Schema = Record<string, any>;

/** Values that break what was not written with them in mind. */
export const hostile: readonly unknown[] = [
  null, true, 0, -1, 1.5, 2 ** 53, 1e308, '', ' ', '0', '\u0000', '\ud800', '\u202E', "' OR 1=1--", '${jndi:x}', '../../x', 'x'.repeat(5_000), [], {}, [[]], { $gt: '' }, { toString: 1 },
];

/** Something that fits a schema of the document, or nearly: the caller decides by validating. References are resolved by `resolve`. */
export function fromSchema(schema: Schema, resolve: (ref: string) => Schema, depth = 0): fc.Arbitrary<unknown> {
  if (schema['$ref']) return fromSchema(resolve(schema['$ref']), resolve, depth);
  if (depth > 6) return fc.constant(null);
  const choices = schema['oneOf'] ?? schema['anyOf'];
  if (choices) return fc.oneof(...choices.map((choice: Schema) => fromSchema(choice, resolve, depth + 1)));
  if ('const' in schema) return fc.constant(schema['const']);
  if (schema['enum']) return fc.constantFrom(...schema['enum']);
  const types = [schema['type'] ?? 'string'].flat() as string[];
  return fc.oneof(...types.map((type) => ofType(type, schema, resolve, depth)));
}

function ofType(type: string, schema: Schema, resolve: (ref: string) => Schema, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'integer': case 'number':
      return fc.integer({ min: schema['minimum'] ?? 0, max: Math.min(schema['maximum'] ?? 1_000, 2 ** 31) });
    case 'boolean': return fc.boolean();
    case 'null': return fc.constant(null);
    case 'array': return fc.array(fromSchema(schema['items'] ?? {}, resolve, depth + 1), { minLength: schema['minItems'] ?? 0, maxLength: 3 });
    case 'object': return fc.record(Object.fromEntries(Object.entries(schema['properties'] ?? {}).map(([name, member]) => [name, fromSchema(member as Schema, resolve, depth + 1)])), { requiredKeys: [] });
    default:
      if (schema['format'] === 'date-time') return fc.date({ noInvalidDate: true, min: new Date('2020-01-01'), max: new Date('2040-01-01') }).map((date) => date.toISOString());
      return fc.stringMatching(/^[A-Za-z0-9]{1,20}$/);
  }
}

/** The value with one of its places, chosen by `at`, replaced by something hostile, or an unknown field put in. */
export function spoil(value: unknown, at: number, bad: unknown): unknown {
  if (typeof value !== 'object' || value === null) return bad;
  const keys = Object.keys(value);
  const copy: any = Array.isArray(value) ? [...value] : { ...value };
  const key = keys[at % (keys.length + 1)];
  if (key === undefined) {
    if (Array.isArray(copy)) copy.push(bad);
    else copy['unknownField'] = bad;
    return copy;
  }
  copy[key] = at % 3 === 0 ? spoil(copy[key], Math.floor(at / 3), bad) : bad;
  return copy;
}
