// Catch2's main: the one place where its implementation is compiled.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
