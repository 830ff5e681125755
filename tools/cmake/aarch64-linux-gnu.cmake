# 64-bit ARM under Linux, by Debian's cross compiler and a sysroot of Debian's arm64 packages (tools/test_aarch64 makes
# it); programs run under qemu-user. QEMU_CPU chooses the processor that is emulated.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(MLA_SYSROOT "" CACHE PATH "Where the arm64 packages are unpacked")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MLA_SYSROOT)
if(NOT EXISTS ${MLA_SYSROOT}/usr/include)
  message(FATAL_ERROR "MLA_SYSROOT: found '${MLA_SYSROOT}', expected a folder with usr/include; run tools/test_aarch64")
endif()

set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_SYSROOT ${MLA_SYSROOT})
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# OpenBLAS stands in a folder of its own: the links that Debian's alternatives make are made by installing only.
set(libraries ${MLA_SYSROOT}/usr/lib/aarch64-linux-gnu)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${MLA_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/pkgconfig:${libraries}/openblas-pthread/pkgconfig:${MLA_SYSROOT}/usr/share/pkgconfig)
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-aarch64 -L ${MLA_SYSROOT} -E LD_LIBRARY_PATH=/usr/lib/aarch64-linux-gnu/openblas-pthread)
