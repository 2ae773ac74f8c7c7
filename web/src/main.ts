import { mount } from 'svelte';
import App from './App.svelte';
import { start_clock } from './base/clock.svelte';
import { restore_language } from './base/i18n.svelte';
import { start_router } from './base/router.svelte';
import { restore_theme } from './base/theme.svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/ansi.css';
import './styles/table.css';

restore_theme();
start_router();
start_clock();
// Not by an await out here: the pages import from this file's chunk and would be cut out of it.
void restore_language().then(() => mount(App, { target: document.getElementById('app')! }));
