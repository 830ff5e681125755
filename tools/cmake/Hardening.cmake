# What OpenSSF's "Compiler Options Hardening Guide for C and C++" (2024) asks for, as far as GCC 12 and Clang 14 have it. Left out:
# -z nodlopen and the trampolines' warning have no use here; -fno-strict-aliasing and -fno-strict-overflow would change what
# the optimizer may do, and undefined behaviour is looked for by the sanitizers instead.
option(MLA_HARDEN "Harden the program and the libraries (OpenSSF's compiler options)" ON)

include(CheckCXXCompilerFlag)
include(CheckPIESupported)
check_pie_supported()  # So that CMake also links programs with -pie.

# mla_add_if_known(<target> <option>...): compile options that not every compiler has.
function(mla_add_if_known target)
  foreach(option IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "MLA_KNOWS${option}" known)
    check_cxx_compiler_flag(${option} ${known})
    if(${known})
      target_compile_options(${target} INTERFACE ${option})
    endif()
  endforeach()
endfunction()

# Sanitizers bring their own checks, and fortified functions would hide accesses from them.
if(MLA_HARDEN AND NOT MLA_SANITIZE AND NOT MLA_COVERAGE)
  target_compile_options(mla_options INTERFACE -Wformat=2 -Wimplicit-fallthrough -Werror=format-security)
  mla_add_if_known(mla_options -Wbidi-chars=any -Wtrampolines -fstack-protector-strong -fstack-clash-protection
                   -fno-delete-null-pointer-checks -ftrivial-auto-var-init=zero)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    mla_add_if_known(mla_options -fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    mla_add_if_known(mla_options -mbranch-protection=standard)
  endif()
  # Fortified functions need an optimizer.
  target_compile_options(mla_options INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
                                               $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
  target_compile_definitions(mla_options INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(mla_options INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
endif()
