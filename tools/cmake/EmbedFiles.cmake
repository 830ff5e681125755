# Files that become part of a program:
#   mla_embed_files(<target> FOLDER <folder> HEADER <header> FUNCTION <function>)
# gives <target> a source file with the HTML, CSS and JavaScript files below <folder> as arrays, and a definition of
# <function> (with its namespace, as <header> declares it) that returns them by their paths below <folder>. Changing,
# adding or removing a file rebuilds it. Run as a script (cmake -P), this file writes that source file.
if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/*.html ${FOLDER}/*.css ${FOLDER}/*.js)
  list(SORT files)
  set(arrays)
  set(entries)
  set(index 0)
  foreach(file IN LISTS files)
    file(READ ${FOLDER}/${file} bytes HEX)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
    string(APPEND arrays "constexpr char kFile${index}[] = {${bytes}'\\0'};\n")
    string(APPEND entries "    {\"${file}\", {kFile${index}, sizeof kFile${index} - 1}},\n")
    math(EXPR index "${index} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
// Written by tools/cmake/EmbedFiles.cmake.
#include "@HEADER@"

#include <array>

namespace {

@arrays@
constexpr std::array<mla::EmbeddedFile, @index@> kFiles = {{
@entries@}};

}  // namespace

std::span<const mla::EmbeddedFile> @FUNCTION@() { return kFiles; }
]])
  return()
endif()

set(MLA_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(mla_embed_files target)
  cmake_parse_arguments(EMBED "" "FOLDER;HEADER;FUNCTION" "" ${ARGN})
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/${EMBED_FOLDER})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded/${target}.cpp)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${folder}/*.html ${folder}/*.css ${folder}/*.js)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DOUTPUT=${output} -DHEADER=${EMBED_HEADER}
            -DFUNCTION=${EMBED_FUNCTION} -P ${MLA_EMBED_SCRIPT}
    DEPENDS ${files} ${MLA_EMBED_SCRIPT}
    COMMENT "Embedding ${EMBED_FOLDER}"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
