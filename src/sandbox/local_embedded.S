        .section .rodata
        .balign 16
        .global gantry_nursery_begin, gantry_nursery_end
        .global gantry_nursery_library_begin, gantry_nursery_library_end
gantry_nursery_begin:
        .incbin GANTRY_NURSERY_FILE
gantry_nursery_end:
        .balign 16
gantry_nursery_library_begin:
        .incbin GANTRY_NURSERY_LIBRARY_FILE
gantry_nursery_library_end:
        .section .note.GNU-stack,"",@progbits
