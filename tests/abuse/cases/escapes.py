"""55: what a terminal obeys: the clipboard, links, titles, questions whose answers are typed in."""
import sys

sys.stdout.buffer.write(b'\x1b]52;c;YWJ1c2U=\x07\x1b]8;;http://127.0.0.1/\x1b\\link\x1b]8;;\x1b\\'
                        b'\x1b]0;title\x07\x1bP$q"p\x1b\\\x1b[6n\x9b31m\x1b[?1049h<script>\n')
