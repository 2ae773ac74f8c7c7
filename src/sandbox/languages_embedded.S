        .section .rodata
        .global gantry_languages_begin, gantry_languages_end
gantry_languages_begin:
        .incbin GANTRY_LANGUAGES_FILE
gantry_languages_end:
        .section .note.GNU-stack,"",@progbits
