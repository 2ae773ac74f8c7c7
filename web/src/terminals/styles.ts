/** What stands in for a `<style>` element: its text is a sheet of the page until it is removed. */
export function style_element(): HTMLElement {
  const element = document.createElement('span');
  const sheet = new CSSStyleSheet();
  element.hidden = true;
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  Object.defineProperty(element, 'textContent', {
    set: (text: string) => sheet.replaceSync(text),
  });
  element.remove = () => {
    Element.prototype.remove.call(element);
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  };
  return element;
}

/** What stands in for setting the attribute `style`. */
export function set_style(element: HTMLElement, text: string): void {
  element.style.cssText = text;
}
