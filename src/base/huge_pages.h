// Mappings that begin at a huge page, for those that hand them on.
#pragma once

#include <cstddef>

namespace mla {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// `size` zeros, of whole pages, that begin at a multiple of kHugePage; to be unmapped with the same size. Throws
/// std::bad_alloc.
std::byte* map_at_huge_page(std::size_t size);

/// Asks for huge pages. A kernel without says no; small ones serve as well.
void advise_huge_pages(std::byte* begin, std::size_t size);

}  // namespace mla
