import type { ErrorObject } from 'ajv';

/** One thing wrong with a request: `path` is a JSON pointer, into the body or `/path`, `/query`, `/headers`. */
export interface Fault {
  path: string;
  message: string;
}

/** More than anybody reads; keeps the answer to a hostile body small. */
const faultsMax = 500;

/** Ajv's findings in the words of the contract, one per place. */
export function toFaults(errors: readonly ErrorObject[]): Fault[] {
  const faults = new Map<string, string>();
  for (const error of withoutBranches(errors)) {
    const path = error.instancePath + memberOf(error);
    if (!faults.has(path)) faults.set(path, messageOf(error));
    if (faults.size >= faultsMax) break;
  }
  return [...faults].map(([path, message]) => ({ path, message }));
}

/** A value that fits no branch of a `oneOf` is explained by what is wrong inside the branches, where there is anything. */
function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const branches = errors.filter((error) => error.keyword === 'oneOf' || error.keyword === 'anyOf');
  if (branches.length === 0) return errors;
  const isBranch = (error: ErrorObject) => branches.includes(error) || (error.keyword === 'type' && error.params['type'] === 'null');
  const inside = errors.filter((error) => !isBranch(error));
  return [...inside, ...branches.filter((branch) => !inside.some((error) => error.instancePath.startsWith(branch.instancePath)))];
}

function memberOf(error: ErrorObject): string {
  const name: unknown = error.params['missingProperty'] ?? error.params['additionalProperty'];
  return typeof name === 'string' ? `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
}

function messageOf(error: ErrorObject): string {
  const schema = (error.parentSchema ?? {}) as Record<string, unknown>;
  switch (error.keyword) {
    case 'required': return 'is missing';
    case 'additionalProperties': return 'is not a known field';
    case 'type': return typeMessage(schema);
    case 'minimum': case 'maximum': return numberMessage(schema);
    case 'minLength': case 'maxLength': return lengthMessage(schema, 'character');
    case 'minItems': case 'maxItems': return lengthMessage(schema, 'item');
    case 'enum': return `must be one of ${(schema['enum'] as unknown[]).join(', ')}`;
    case 'format': return `must be a valid ${String(schema['format'])}`;
    case 'pattern': return patternMessage(schema);
    case 'oneOf': case 'anyOf': return 'fits none of the allowed forms';
    default: return error.message ?? 'is not valid';
  }
}

function typeMessage(schema: Record<string, unknown>): string {
  const types = [schema['type']].flat().map(String);
  if (types.includes('integer')) return numberMessage(schema);
  if (Array.isArray(schema['enum'])) return `must be one of ${schema['enum'].join(', ')}`;
  return `must be ${types.map((type) => (type === 'null' ? 'null' : `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`)).join(' or ')}`;
}

function numberMessage({ minimum, maximum, type }: Record<string, unknown>): string {
  const orNull = [type].flat().includes('null') ? ' or null' : '';
  if (minimum !== undefined && maximum !== undefined) return `must be an integer from ${Number(minimum)} to ${Number(maximum)}${orNull}`;
  if (minimum !== undefined) return `must be an integer of at least ${Number(minimum)}${orNull}`;
  return `must be an integer${orNull}`;
}

function lengthMessage(schema: Record<string, unknown>, unit: 'character' | 'item'): string {
  const least = schema[unit === 'item' ? 'minItems' : 'minLength'];
  const most = schema[unit === 'item' ? 'maxItems' : 'maxLength'];
  if (least !== undefined && most !== undefined) return `must have ${Number(least)} to ${Number(most)} ${unit}s`;
  if (least !== undefined) return Number(least) === 1 ? 'must not be empty' : `must have at least ${Number(least)} ${unit}s`;
  return `must have at most ${Number(most)} ${unit}s`;
}

function patternMessage(schema: Record<string, unknown>): string {
  if (schema['format'] === 'date-time') return 'must be an RFC 3339 time in UTC with milliseconds';
  return `must match ${String(schema['pattern'])}`;
}
