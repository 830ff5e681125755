// Loops that do nothing but multiply and add, one file for each instruction set, like the kernels they measure for.
//
// The results stay in registers and go through an empty assembler statement, so that the compiler must make them and may
// not merge two of them. Such a file instantiates nothing of the standard library (see docs/architecture.md).
#pragma once

#include "kernels/isa.h"
#include "mla/machine.h"

namespace mla {

struct PeakLoop {
  Isa isa;
  MultiplyUnit unit;
  double operations;  ///< Of one round; a multiply-add is two.
  void (*run)(unsigned long rounds);
};

#if defined(__x86_64__)
extern const PeakLoop kAvx2Fp32;
extern const PeakLoop kAvx2Int8;
extern const PeakLoop kAvxVnniInt8;
extern const PeakLoop kAvx512Fp32;
extern const PeakLoop kAvx512Int8;
extern const PeakLoop kAvx512VnniInt8;
extern const PeakLoop kAvx512Bf16;
extern const PeakLoop kAmxInt8;
extern const PeakLoop kAmxBf16;
#elif defined(__aarch64__)
extern const PeakLoop kNeonFp32;
extern const PeakLoop kNeonInt8;
extern const PeakLoop kNeonDotprodInt8;
extern const PeakLoop kNeonI8mmInt8;
#endif

}  // namespace mla
