const state = $state({ path: '/' });

/** The path of the page that is shown. */
export function path(): string {
  return state.path;
}

export function go(to: string): void {
  if (to !== location.pathname) history.pushState(null, '', to);
  state.path = to;
}

/** For links: stays in this page unless the reader asked for another tab or window. */
export function follow(event: MouseEvent): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(new URL((event.currentTarget as HTMLAnchorElement).href).pathname);
}

export function start_router(): void {
  const read = (): void => {
    if (location.pathname === '/') history.replaceState(null, '', '/run');
    state.path = location.pathname;
  };
  read();
  addEventListener('popstate', read);
}
