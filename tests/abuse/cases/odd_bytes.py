"""54: bytes that are no text."""
import sys

sys.stdout.buffer.write(bytes(range(256)) + b'\xed\xa0\x80\xff\xfe\x00')
