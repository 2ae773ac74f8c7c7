# One folder of src/ = one namespace = one library: gantry_folder(NAME LIBRARIES...).
# Sources are all *.cpp of the folder, tests all *_test.cpp beside them, and *_fake.cpp what
# the tests of higher folders borrow (library gantry_NAME_fake). A test, and a fake, may use the
# fakes of every folder named before it in src/CMakeLists.txt.
function(gantry_folder name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*_test.cpp)
  file(GLOB fakes CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*_fake.cpp)
  list(REMOVE_ITEM sources ${tests} ${fakes})
  # What only the program itself links: no test can have two main functions.
  list(FILTER sources EXCLUDE REGEX "/main/(gantry|serve|backup|schemas)\\.cpp$")
  if(NOT sources)
    add_library(gantry_${name} INTERFACE)
    return()
  endif()
  add_library(gantry_${name} STATIC ${sources})
  target_link_libraries(gantry_${name} PUBLIC gantry_flags ${ARGN})
  if(NOT GANTRY_TESTS)
    return()
  endif()
  get_property(lower_fakes GLOBAL PROPERTY gantry_fakes)
  if(fakes)
    add_library(gantry_${name}_fake STATIC ${fakes})
    target_link_libraries(gantry_${name}_fake PUBLIC gantry_${name} ${lower_fakes})
    set_property(GLOBAL APPEND PROPERTY gantry_fakes gantry_${name}_fake)
  endif()
  if(tests)
    add_executable(gantry_${name}_test ${tests})
    get_property(known_fakes GLOBAL PROPERTY gantry_fakes)
    target_link_libraries(gantry_${name}_test PRIVATE
      gantry_${name} ${known_fakes} GTest::gmock_main)
    gtest_discover_tests(gantry_${name}_test
      TEST_PREFIX ${name}. TEST_FILTER "-*Postgresql*" DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 600)
  endif()
endfunction()

# Tests of a folder that run on PostgreSQL, too: gantry_on_postgresql(NAME FILTER). One process for
# all of them, which starts a server of its own once.
function(gantry_on_postgresql name filter)
  if(NOT TARGET gantry_${name}_test)
    return()
  endif()
  add_test(NAME ${name}.on_postgresql COMMAND gantry_${name}_test --gtest_filter=${filter})
  set_tests_properties(${name}.on_postgresql PROPERTIES
    TIMEOUT 600 ENVIRONMENT GANTRY_TEST_DATABASE=postgresql)
endfunction()
