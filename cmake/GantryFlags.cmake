# Compiler and linker flags of everything we write (not of what we link).
add_library(gantry_flags INTERFACE)
target_compile_features(gantry_flags INTERFACE cxx_std_23)
target_compile_options(gantry_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wimplicit-fallthrough -Werror
  -Wno-missing-designated-field-initializers
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -fcolor-diagnostics)
target_compile_definitions(gantry_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ALL_NO_LIB _GLIBCXX_ASSERTIONS)
target_include_directories(gantry_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)

# The hardening of the release build; SECURITY.md says what it is for.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(gantry_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection
    -ftrivial-auto-var-init=zero -Werror=format-security -flto=thin)
  target_compile_definitions(gantry_flags INTERFACE _FORTIFY_SOURCE=3)
  target_link_options(gantry_flags INTERFACE
    -flto=thin -pie -Wl,-z,relro,-z,now,-z,noexecstack
    -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto-cache)
endif()
target_link_options(gantry_flags INTERFACE -fuse-ld=lld)

if(GANTRY_SANITIZERS)
  # The ignore list by its older name, because ccache 4.7 does not look into files of the newer.
  target_compile_options(gantry_flags INTERFACE
    -fsanitize=${GANTRY_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer
    -fsanitize-blacklist=${CMAKE_SOURCE_DIR}/cmake/sanitizer_ignore.txt)
  target_link_options(gantry_flags INTERFACE -fsanitize=${GANTRY_SANITIZERS})
endif()
