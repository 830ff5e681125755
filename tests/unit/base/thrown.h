// What a piece of code throws.
#pragma once

#include <catch2/catch.hpp>

#include <stdexcept>

#include "mla/error.h"

/// The mla::Error that `body` throws; fails the test case if it throws none.
template <typename Body>
mla::Error thrown_by(Body body) {
  try {
    body();
  } catch (const mla::Error& error) {
    return error;
  }
  FAIL("no mla::Error was thrown");
  throw std::logic_error("not reached");
}
