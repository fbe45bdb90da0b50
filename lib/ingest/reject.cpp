// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/reject.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/progress.hpp"

namespace whorl::ingest {

std::vector<Reject> gather(const mpi::Communicator& comm, const std::vector<Reject>& mine) {
  std::string packed;
  for (const Reject& reject : mine) packed += fmt::format("{} {}", reject.item, reject.reason) + '\0';
  std::vector<Reject> all;
  for (const std::string& text : comm.all_gather(packed)) {
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view record = rest.substr(0, rest.find('\0'));
      rest.remove_prefix(record.size() + 1);
      Reject reject;
      const char* end = std::from_chars(record.data(), record.data() + record.size(), reject.item).ptr;
      reject.reason = record.substr(static_cast<std::size_t>(end + 1 - record.data()));
      all.push_back(std::move(reject));
    }
  }
  std::ranges::sort(all, {}, &Reject::item);
  return all;
}

std::string list_rejects(const std::vector<Reject>& rejects, const Manifest& manifest, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most, rejects.size()); ++i) {
    const std::string& name = manifest.items[rejects[i].item].name;
    text += "\n  " + printable(fmt::format("{}: {}", name, rejects[i].reason));
  }
  if (rejects.size() > most) text += fmt::format("\n  ... and {} more", rejects.size() - most);
  return text;
}

}  // namespace whorl::ingest
