import { Failure, type Problem } from '../failure.js';

/** What an answer that is no success says; whatever is no problem document gets the words of its status. */
export function problemOf(status: number, body: unknown): Problem {
  const { code, detail, requestId, errors } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  return {
    status,
    code: typeof code === 'string' ? code : `HTTP_${status}`,
    detail: typeof detail === 'string' ? detail : '',
    ...(typeof requestId === 'string' ? { requestId } : {}),
    ...(Array.isArray(errors) ? { errors: errors as Problem['errors'] & object } : {}),
  };
}

/** 4xx is a no, and nothing was changed. Anything else is no answer: of what was to change something nobody knows whether it did. */
export function refusal(method: string, problem: Problem, retryAfter: string | null): Failure {
  const faults = (problem.errors ?? []).map(({ path, message }) => `${path || 'body'} ${message}`);
  const why = faults.length > 0 ? faults.join('; ') : problem.detail;
  const words = `${problem.code}${why ? `: ${why}` : ''}`;
  const later = retryAfter !== null && /^\d+$/.test(retryAfter) ? `; try again in ${retryAfter} s` : '';
  if (problem.status >= 400 && problem.status < 500) return new Failure('refused', `${words}${hintFor(problem.status)}${later}`, problem);
  const maybe = method === 'GET' ? '' : '; it may have been done: look before you ask again';
  return new Failure('unknown', `${words}${maybe}${later}`, problem);
}

function hintFor(status: number): string {
  if (status === 401) return ' (the token is wrong or has expired)';
  return status === 403 ? " (the token's account has not got the role)" : '';
}
