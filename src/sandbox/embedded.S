        .section .rodata
        .balign 16
        .global gantry_init_begin, gantry_init_end, gantry_seccomp_begin, gantry_seccomp_end
        .global gantry_holder_begin, gantry_holder_end, gantry_ender_begin, gantry_ender_end
        .global gantry_python_begin, gantry_python_end, gantry_node_begin, gantry_node_end
gantry_init_begin:
        .incbin GANTRY_INIT_FILE
gantry_init_end:
        .balign 16
gantry_holder_begin:
        .incbin GANTRY_HOLDER_FILE
gantry_holder_end:
        .balign 16
gantry_ender_begin:
        .incbin GANTRY_ENDER_FILE
gantry_ender_end:
        .balign 16
gantry_seccomp_begin:
        .incbin GANTRY_SECCOMP_FILE
gantry_seccomp_end:
gantry_python_begin:
        .incbin GANTRY_PYTHON_FILE
gantry_python_end:
gantry_node_begin:
        .incbin GANTRY_NODE_FILE
gantry_node_end:
        .section .note.GNU-stack,"",@progbits
