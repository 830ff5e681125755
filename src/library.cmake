# What users get, made of the rooms: the program `mla` (from the room cli) and the libraries libmla.so and libmla.a
# (from all other rooms). Included by src/CMakeLists.txt after the last room.

get_property(rooms GLOBAL PROPERTY MLA_ROOMS)
list(REMOVE_ITEM rooms mla_cli)
set_property(GLOBAL PROPERTY MLA_LIBRARY_ROOMS ${rooms})  # The tests link these, too.

# The rooms' objects, and the system libraries they link. nlohmann_json has headers only and shows in no public header.
set(objects)
set(system_libraries)
foreach(room IN LISTS rooms)
  get_target_property(type ${room} TYPE)
  if(NOT type STREQUAL INTERFACE_LIBRARY)
    list(APPEND objects $<TARGET_OBJECTS:${room}>)
  endif()
  get_target_property(libraries ${room} INTERFACE_LINK_LIBRARIES)
  if(libraries)
    list(APPEND system_libraries ${libraries})
  endif()
endforeach()
list(REMOVE_DUPLICATES system_libraries)
list(FILTER system_libraries EXCLUDE REGEX "^mla_|mla_options|^nlohmann_json::|-NOTFOUND$")
set_property(GLOBAL PROPERTY MLA_SYSTEM_LIBRARIES ${system_libraries})  # For tools/cmake/Install.cmake.

if(objects)
  add_library(mla_shared SHARED ${objects})
  add_library(mla_static STATIC ${objects})
  target_link_libraries(mla_shared PRIVATE ${system_libraries} mla_options)
  target_link_libraries(mla_static PRIVATE ${system_libraries})
  set_target_properties(mla_shared PROPERTIES
    EXPORT_NAME mla
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})  # Before 1.0 a minor version may break the ABI.
  set_target_properties(mla_static PROPERTIES EXPORT_NAME static)
  if(NOT MLA_SANITIZE)
    target_link_options(mla_shared PRIVATE -Wl,--no-undefined)
  endif()
  foreach(library mla_shared mla_static)
    set_target_properties(${library} PROPERTIES
      OUTPUT_NAME mla
      LINKER_LANGUAGE CXX
      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
      ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    target_compile_features(${library} INTERFACE cxx_std_20)
    target_include_directories(${library} INTERFACE
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  endforeach()
  add_library(mla::mla ALIAS mla_shared)
  add_library(mla::static ALIAS mla_static)
endif()

set(cli_type)
if(TARGET mla_cli)
  get_target_property(cli_type mla_cli TYPE)
endif()
if(cli_type STREQUAL STATIC_LIBRARY)
  add_executable(mla_program $<TARGET_OBJECTS:mla_cli>)
  target_link_libraries(mla_program PRIVATE ${rooms} mla_options)
  get_target_property(libraries mla_cli INTERFACE_LINK_LIBRARIES)
  target_link_libraries(mla_program PRIVATE ${libraries})
  set_target_properties(mla_program PROPERTIES
    OUTPUT_NAME mla LINKER_LANGUAGE CXX RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
endif()
