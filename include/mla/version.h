// The version of these headers. CMakeLists.txt holds the same number; configuring refuses a difference.
#pragma once

#define MLA_VERSION_MAJOR 0
#define MLA_VERSION_MINOR 1
#define MLA_VERSION_PATCH 0
#define MLA_VERSION "0.1.0"
