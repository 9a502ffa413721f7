// What is asked of the daemon, and what went wrong if it does not answer as hoped.

const DEADLINE = 10_000; // ms

/** `status` is HTTP's, 0 if nobody answered; `kind` the daemon's own word, such as "conflict". */
export class Failure extends Error {
  constructor(status, kind, messages) {
    super(messages.join("; "));
    this.status = status;
    this.kind = kind;
    this.messages = messages;
  }
}

let csrf = "";

/** Proves to the daemon that an act comes from this page: it is told with every status, and at login. */
export function setCsrf(token) {
  csrf = token ?? csrf;
}

export const get = (path, query = {}) => ask("GET", path, query);
export const post = (path, body = {}) => ask("POST", path, {}, body);

export function address(path, query = {}) {
  const url = new URL(`api/v1/${path}`, document.baseURI);
  url.hash = "";
  url.search = new URLSearchParams(Object.entries(query).filter(([, value]) => value != null)).toString();
  return url;
}

async function ask(method, path, query, body) {
  const headers = { Accept: "application/json" };
  if (body) Object.assign(headers, { "Content-Type": "application/json", "X-CSRF-Token": csrf });
  let response;
  try {
    response = await fetch(address(path, query), {
      method,
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(DEADLINE),
    });
    if (response.ok) return await response.json();
  } catch (error) {
    throw new Failure(0, "unreachable", [why(error)]);
  }
  throw await refusal(response);
}

function why(error) {
  if (error.name === "TimeoutError") return `no answer within ${DEADLINE / 1000} s`;
  return error instanceof SyntaxError ? "what answers there is not healthd" : "no connection";
}

async function refusal(response) {
  let told = {};
  try {
    told = (await response.json()).error ?? {};
  } catch {
    // Not the daemon's own words, so the status has to do.
  }
  const messages = Array.isArray(told.messages) && told.messages.length ? told.messages.map(String) : null;
  return new Failure(response.status, String(told.status ?? ""), messages ?? [`HTTP status ${response.status}`]);
}
