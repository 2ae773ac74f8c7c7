// A child of the nursery, from its clone to gantry-init.
#pragma once

#include "nursery/birth.h"

#include <stddef.h>

struct Filter {
  unsigned short count;
  // struct sock_filter, whose header musl does not have.
  struct Instruction {
    uint16_t code;
    uint8_t jump_true;
    uint8_t jump_false;
    uint32_t value;
  } instructions[filter_instructions_max];
};

// Makes the surroundings that `birth` asks for, gives up every privilege and serves as gantry-init.
// `descriptors` are as many as `birth` says. What goes wrong is told in an 'X' frame.
_Noreturn void grow_up(const struct Birth* birth, const int* descriptors,
                       const struct Filter* filter);
