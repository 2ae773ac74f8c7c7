#pragma once

// Bears children as the packets on `socket` ask for it, and leaves when its other end is gone. In
// an interpreter's library (preload.c) a child comes back by execute(), never by returning.
_Noreturn void nursery_serve(int socket);
