// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "dataset/reader.hpp"

namespace whorl::inspect {

void print_class_counts(const dataset::Reader& reader);
void print_channel_statistics(const dataset::Info& info);
/// The first `rows` pictures of the split: name, label, class and mean colour.
void print_rows(const dataset::Reader& reader, dataset::Split split, int rows);
void print_rejects(const dataset::Reader& reader, bool all);

}  // namespace whorl::inspect
