const state = $state({ path: '/', query: '' });

/** The path of the page that is shown. */
export function path(): string {
  return state.path;
}

/** A parameter of the address; empty when it has none of this name. */
export function parameter(name: string): string {
  return new URLSearchParams(state.query).get(name) ?? '';
}

export function go(to: string): void {
  if (to !== location.pathname + location.search) history.pushState(null, '', to);
  read();
}

/** For links: stays in this page unless the reader asked for another tab or window. */
export function follow(event: MouseEvent): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const { pathname, search } = new URL((event.currentTarget as HTMLAnchorElement).href);
  go(pathname + search);
}

export function start_router(): void {
  read();
  addEventListener('popstate', read);
}

function read(): void {
  if (location.pathname === '/') history.replaceState(null, '', `/run${location.search}`);
  state.path = location.pathname;
  state.query = location.search;
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
