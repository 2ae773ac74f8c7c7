import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { python } from '@codemirror/lang-python';
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  StreamLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
import { shell } from '@codemirror/legacy-modes/mode/shell';
import { Compartment, EditorState, type Extension, type Transaction } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';

export interface Editor {
  set_text(text: string): void;
  set_language(language: string): void;
  set_label(label: string): void;
  focus(): void;
  destroy(): void;
}

interface Setup {
  host: HTMLElement;
  text: string;
  language: string;
  label: string;
  changed: (text: string) => void;
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
  { tag: [tags.standard(tags.name), tags.function(tags.name)], color: 'var(--code-name)' },
  { tag: [tags.comment, tags.meta], color: 'var(--code-comment)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'transparent', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', fontSize: '0.8125rem', lineHeight: '1.55' },
  '.cm-content': { padding: '0.5rem 0', caretColor: 'var(--ink)' },
  '.cm-line': { padding: '0 0.75rem' },
  '.cm-gutters': {
    backgroundColor: 'var(--sunken)',
    borderRight: '1px solid var(--line)',
    color: 'var(--ink-faint)',
  },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '2.4rem', padding: '0 0.5rem 0 0' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in oklab, var(--hover) 60%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--hover)', color: 'var(--ink)' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    backgroundColor: 'var(--selection)',
  },
  '.cm-selectionBackground': { backgroundColor: 'var(--selection)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--selection)' },
});

function grammar(language: string): Extension {
  switch (language) {
    case 'python':
      return [python(), indentUnit.of('    ')];
    case 'javascript':
      return [javascript(), indentUnit.of('  ')];
    case 'typescript':
      return [javascript({ typescript: true }), indentUnit.of('  ')];
    case 'bash':
    case 'sh':
      return [StreamLanguage.define(shell), indentUnit.of('  ')];
    default:
      return [];
  }
}

/**
 * Typing over a selection. Left to itself, Chromium deletes the selection and keeps the look of the
 * lines it joins with inline styles, which the page's policy blocks and reports.
 */
const typing_over = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { main } = view.state.selection;
    const text = event.data;
    if (event.inputType !== 'insertText' || !text || main.empty || view.composing) return false;
    const insert = (): Transaction =>
      view.state.update(view.state.replaceSelection(text), {
        userEvent: 'input.type',
        scrollIntoView: true,
      });
    const handlers = view.state.facet(EditorView.inputHandler);
    const handled = handlers.some((handle) => handle(view, main.from, main.to, text, insert));
    if (!handled) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

const labelled = (label: string): Extension =>
  EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' });

/**
 * An editor in a shadow root of its own: there CodeMirror adopts constructed style sheets, which a
 * policy without 'unsafe-inline' allows; in a document it would add style elements.
 */
export function create_editor({ host, text, language, label, changed }: Setup): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const language_part = new Compartment();
  const label_part = new Compartment();
  const extensions = [
    lineNumbers(),
    highlightActiveLineGutter(),
    highlightActiveLine(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    syntaxHighlighting(colours),
    typing_over,
    // The page runs the program on this key; here it only must not break the line.
    keymap.of([{ key: 'Mod-Enter', run: () => true }]),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) changed(update.state.doc.toString());
    }),
    look,
    language_part.of(grammar(language)),
    label_part.of(labelled(label)),
  ];
  const state = EditorState.create({ doc: text, extensions });
  const view = new EditorView({ state, parent: root, root });
  return {
    set_text(wanted) {
      const { doc } = view.state;
      if (doc.toString() === wanted) return;
      view.dispatch({ changes: { from: 0, to: doc.length, insert: wanted } });
    },
    set_language(name) {
      view.dispatch({ effects: language_part.reconfigure(grammar(name)) });
    },
    set_label(name) {
      view.dispatch({ effects: label_part.reconfigure(labelled(name)) });
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
