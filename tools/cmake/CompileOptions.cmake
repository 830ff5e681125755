# One interface target carries the compile options of every room, test and program.
find_program(MLA_CCACHE ccache)
if(MLA_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MLA_CCACHE})
endif()

add_library(mla_options INTERFACE)
target_compile_options(mla_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                             -Wcast-align -Wold-style-cast -Wconversion -Wsign-conversion)
# Results must not depend on whether the compiler fuses a*b+c: the kernels say themselves where they want a fused step.
target_compile_options(mla_options INTERFACE -ffp-contract=off)
if(MLA_WARNINGS_AS_ERRORS)
  target_compile_options(mla_options INTERFACE -Werror)
endif()
if(MLA_SANITIZE)
  target_compile_options(mla_options INTERFACE -fsanitize=${MLA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mla_options INTERFACE -fsanitize=${MLA_SANITIZE})
endif()
if(MLA_COVERAGE)
  target_compile_options(mla_options INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(mla_options INTERFACE --coverage)
endif()
