// The JSON API, and where it is: config.json beside the page tells, relative to the page, so that a
// proxy may put anything in front.

let config = {api: null, files: null, links: null};
const page = new URL("./", location.href);

export async function find_api() {
  const reply = await fetch(new URL("config.json", page), {cache: "no-store"});
  if (!reply.ok) throw new Error(`The server answers ${reply.status}.`);
  config = await reply.json();
}

export const api_url = path => new URL(path, new URL(config.api, page));

// The API's links may name a host that this browser does not use: the same, from where the page is. But
// not when another server has the files.
export function local(link) {
  if (link === null || config.files === null || config.links === null || !link.startsWith(config.links))
    return link;
  return new URL(config.files, page).href + link.slice(config.links.length);
}

export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function call(method, path, body) {
  const options = {method, cache: "no-store", headers: {Accept: "application/json"}};
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let reply;
  try {
    reply = await fetch(api_url(path), options);
  } catch {
    throw new ApiError(0, "unreachable", "The server cannot be reached; try again when it is back.");
  }
  if (reply.status === 204) return null;
  const json = await reply.json().catch(() => null);
  if (reply.ok && json !== null) return json;
  throw new ApiError(reply.status, json?.error?.code ?? "", json?.error?.message ??
                     `The server answers ${reply.status}.`);
}

export const get = path => call("GET", path);
export const put = path => call("PUT", path);
export const post = (path, body) => call("POST", path, body);
export const patch = (path, body) => call("PATCH", path, body);
export const remove = path => call("DELETE", path);

// Its number where it has one: a name may have bytes that no text can hold.
export const stream_path = stream => Number.isInteger(stream.id) ? `streams/${stream.id}`
  : `streams/${encodeURIComponent(stream.app)}/${encodeURIComponent(stream.name)}`;

// Every page of a list.
export async function get_all(path) {
  const all = [];
  for (let page_number = 1; ; ++page_number) {
    const part = await get(`${path}${path.includes("?") ? "&" : "?"}per_page=100&page=${page_number}`);
    all.push(...part);
    if (part.length < 100) return all;
  }
}
