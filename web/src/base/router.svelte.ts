const state = $state({ path: '/', query: '' });
// Another one for each link to a part of the page that is followed, also to the same part.
let aim = $state.raw({ part: '' });

/** The path of the page that is shown. */
export function path(): string {
  return state.path;
}

/** A parameter of the address; empty when it has none of this name. */
export function parameter(name: string): string {
  return new URLSearchParams(state.query).get(name) ?? '';
}

/**
 * The part of the page that the address names behind its `#`; empty when it names none. An effect
 * that reads it runs anew when a link to the part is followed once more.
 */
export function fragment(): string {
  return aim.part;
}

export function go(to: string): void {
  if (to !== location.pathname + location.search + location.hash) history.pushState(null, '', to);
  read();
}

/** For links: stays in this page unless the reader asked for another tab or window. */
export function follow(event: MouseEvent): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  const { pathname, search, hash } = new URL((event.currentTarget as HTMLAnchorElement).href);
  // To a part of the page that is shown the browser goes by itself.
  if (hash !== '' && pathname + search === location.pathname + location.search) {
    if (hash === location.hash) aim = { ...aim };
    return;
  }
  event.preventDefault();
  go(pathname + search + hash);
}

export function start_router(): void {
  read();
  addEventListener('popstate', read);
  addEventListener('hashchange', read);
}

function read(): void {
  if (location.pathname === '/') history.replaceState(null, '', `/run${location.search}`);
  state.path = location.pathname;
  state.query = location.search;
  const part = location.hash.slice(1);
  if (part !== aim.part) aim = { part };
}

/** Sets parameters of the address in place; an empty value leaves one out. */
export function set_parameters(values: Readonly<Record<string, string>>): void {
  const all = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === '') all.delete(name);
    else all.set(name, value);
  }
  const query = all.toString();
  history.replaceState(null, '', location.pathname + (query === '' ? '' : `?${query}`));
  read();
}
