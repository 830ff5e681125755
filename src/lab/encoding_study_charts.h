// An encoding's study in pictures.
#pragma once

#include <string>
#include <vector>

#include "lab/encoding_study.h"

namespace mla::lab {

struct Picture {
  std::string name;  ///< "binary-values"
  std::string svg;   ///< An <svg> element; stand_alone() makes a file of it.
};

/// Values, dot product against distance, norms, and wavelengths for rotary encodings.
std::vector<Picture> pictures_of(const EncodingStudy& study);

}  // namespace mla::lab
