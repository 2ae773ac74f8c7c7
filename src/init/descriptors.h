#pragma once

// Closes every descriptor from `first` on, whoever opened it.
void close_descriptors_from(int first);
