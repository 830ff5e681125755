# `cmake --install`: bin/mla, libmla.so and libmla.a, the public headers, a CMake package, mla.pc, and the models
# that commands take when no other is named. Every path is relative to the prefix, so the tree can be moved.
include(CMakePackageConfigHelpers)

# The headers carry the version for programs that do not use CMake; the two must not drift apart.
file(STRINGS include/mla/version.h version_lines REGEX "^#define MLA_VERSION")
set(expected_version_lines
  "#define MLA_VERSION_MAJOR ${PROJECT_VERSION_MAJOR}"
  "#define MLA_VERSION_MINOR ${PROJECT_VERSION_MINOR}"
  "#define MLA_VERSION_PATCH ${PROJECT_VERSION_PATCH}"
  "#define MLA_VERSION \"${PROJECT_VERSION}\"")
if(NOT version_lines STREQUAL expected_version_lines)
  message(FATAL_ERROR "include/mla/version.h and CMakeLists.txt (${PROJECT_VERSION}) disagree about the version")
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mla)

if(TARGET mla_program)
  install(TARGETS mla_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY include/mla DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mla)
foreach(model stories encodings)
  if(EXISTS ${PROJECT_SOURCE_DIR}/models/${model})
    install(DIRECTORY models/${model} DESTINATION ${CMAKE_INSTALL_DATADIR}/mla/models)
  endif()
endforeach()

# Two export sets: a program that links the shared library needs none of the libraries behind it.
if(TARGET mla_shared)
  install(TARGETS mla_shared EXPORT mla_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(TARGETS mla_static EXPORT mla_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT mla_shared NAMESPACE mla:: FILE mlaSharedTargets.cmake DESTINATION ${package_dir})
  install(EXPORT mla_static NAMESPACE mla:: FILE mlaStaticTargets.cmake DESTINATION ${package_dir})
endif()

# What the static library needs: `PkgConfig::PCRE2 ...` for the CMake package, -l flags for mla.pc.
get_property(system_libraries GLOBAL PROPERTY MLA_SYSTEM_LIBRARIES)
set(find_static_dependencies "")
set(MLA_PC_LIBS_PRIVATE "")
foreach(library IN LISTS system_libraries)
  if(library MATCHES "^PkgConfig::(.+)$")
    set(prefix ${CMAKE_MATCH_1})
    string(APPEND find_static_dependencies "mla_find_module(${prefix} ${${prefix}_MODULE_NAME})\n")
    list(APPEND MLA_PC_LIBS_PRIVATE ${${prefix}_LDFLAGS})
  elseif(library STREQUAL "Threads::Threads")
    list(APPEND MLA_PC_LIBS_PRIVATE -pthread)
  else()
    message(FATAL_ERROR "tools/cmake/Install.cmake does not know how a user of libmla.a finds ${library}")
  endif()
endforeach()
set(MLA_FIND_STATIC_DEPENDENCIES "${find_static_dependencies}")
list(JOIN MLA_PC_LIBS_PRIVATE " " MLA_PC_LIBS_PRIVATE)

configure_package_config_file(tools/cmake/mlaConfig.cmake.in mlaConfig.cmake INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(mlaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mlaConfig.cmake ${PROJECT_BINARY_DIR}/mlaConfigVersion.cmake
  DESTINATION ${package_dir})

file(RELATIVE_PATH MLA_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" MLA_PC_PREFIX "${MLA_PC_PREFIX}")
configure_file(tools/cmake/mla.pc.in mla.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mla.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
