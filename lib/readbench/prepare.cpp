// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/prepare.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <fstream>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "ingest/cifar.hpp"

namespace whorl::readbench {

namespace {

namespace fs = std::filesystem;
constexpr int jpeg_quality = 90;
constexpr std::int64_t pictures_a_cifar_batch = 10000;

/// Sorted by name, the files stand in the order of the samples.
std::string file_name(const PictureSet& pictures, std::int64_t sample) {
  const std::string& class_name =
      pictures.info().class_names[static_cast<std::size_t>(pictures.label(sample))];
  return fmt::format("{:010}_{}.jpg", sample, class_name);
}

void write_bytes(const fs::path& path, std::ofstream& file, std::span<const std::uint8_t> bytes) {
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.flush();
  require(file.good(), "cannot write {}: {}", path.string(), system_error_text(errno));
}

void write_folder(const fs::path& folder, const PictureSet& pictures) {
  fs::create_directory(folder);
  for (std::int64_t sample = 0; sample < pictures.count(); ++sample) {
    const fs::path path = folder / file_name(pictures, sample);
    std::ofstream file(path, std::ios::binary);
    write_bytes(path, file, pictures.jpeg(sample));
  }
}

void write_tar(const fs::path& path, const PictureSet& pictures) {
  const std::unique_ptr<archive, int (*)(archive*)> tar(archive_write_new(), archive_write_free);
  const auto check = [&](bool good) {
    require(good, "cannot write {}: {}", path.string(), archive_error_string(tar.get()));
  };
  check(archive_write_set_format_ustar(tar.get()) == ARCHIVE_OK);
  check(archive_write_open_filename(tar.get(), path.c_str()) == ARCHIVE_OK);
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                       archive_entry_free);
  for (std::int64_t sample = 0; sample < pictures.count(); ++sample) {
    const std::vector<std::uint8_t> jpeg = pictures.jpeg(sample);
    archive_entry_clear(entry.get());
    archive_entry_set_pathname(entry.get(), file_name(pictures, sample).c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(jpeg.size()));
    check(archive_write_header(tar.get(), entry.get()) == ARCHIVE_OK);
    check(archive_write_data(tar.get(), jpeg.data(), jpeg.size()) == static_cast<la_ssize_t>(jpeg.size()));
  }
  check(archive_write_close(tar.get()) == ARCHIVE_OK);
}

/// Records of a label and three planes.
void write_cifar(const fs::path& folder, const PictureSet& pictures) {
  constexpr std::size_t plane = ingest::cifar_picture_bytes / 3;
  fs::create_directory(folder);
  std::ofstream file;
  std::vector<std::uint8_t> record(1 + ingest::cifar_picture_bytes);
  for (std::int64_t sample = 0; sample < pictures.count(); ++sample) {
    const fs::path path = folder / fmt::format("data_batch_{}.bin", sample / pictures_a_cifar_batch + 1);
    if (sample % pictures_a_cifar_batch == 0) {
      file.close();
      file.open(path, std::ios::binary);
    }
    const std::vector<std::uint8_t> pixels = pictures.pixels(sample);
    record[0] = static_cast<std::uint8_t>(pictures.label(sample));
    for (std::size_t i = 0; i < pixels.size(); ++i) record[1 + i % 3 * plane + i / 3] = pixels[i];
    write_bytes(path, file, record);
  }
}

bool fits_cifar(const PictureSet& pictures) {
  return pictures.info().image_size == ingest::cifar_side && pictures.info().class_names.size() <= 10 &&
         pictures.count() <= 9 * pictures_a_cifar_batch;  // batches have one digit
}

}  // namespace

std::vector<SourceName> prepare(const fs::path& folder, const fs::path& dataset) {
  const PictureSet pictures(dataset);
  require(pictures.count() > 0, "there are no pictures to prepare");
  require(fs::create_directory(folder), "{} is already there; --prepare makes a new folder", folder.string());
  Progress progress("preparing", "forms", fits_cifar(pictures) ? 6 : 5, true);
  std::vector<SourceName> made;
  const auto finished = [&](const char* kind, const fs::path& path) {
    made.push_back({kind, path});
    progress.update(std::ssize(made));
  };
  write_folder(folder / "pictures", pictures);
  finished("folder", folder / "pictures");
  write_tar(folder / "pictures.tar", pictures);
  finished("tar", folder / "pictures.tar");
  write_hdf5(folder / "pixels.h5", pictures, dataset::Storage::pixels);
  finished("pixels", folder / "pixels.h5");
  write_hdf5(folder / "jpeg.h5", pictures, dataset::Storage::jpeg);
  finished("jpeg", folder / "jpeg.h5");
  if (write_sqlite(folder / "pictures.sqlite", pictures)) finished("sqlite", folder / "pictures.sqlite");
  if (fits_cifar(pictures)) {
    write_cifar(folder / "cifar", pictures);
    finished("cifar", folder / "cifar");
  }
  made.push_back({"raw", folder / "pixels.h5"});
  return made;
}

PictureSet::PictureSet(const fs::path& dataset) : reader_(dataset) {}

PictureSet::Place PictureSet::place(std::int64_t sample) const {
  const std::int64_t train = info().train_count;
  if (sample < train) return {dataset::Split::train, sample};
  return {dataset::Split::test, sample - train};
}

std::int32_t PictureSet::label(std::int64_t sample) const {
  const Place at = place(sample);
  return reader_.labels(at.split)[static_cast<std::size_t>(at.sample)];
}

std::vector<std::uint8_t> PictureSet::jpeg(std::int64_t sample) const {
  const Place at = place(sample);
  if (info().storage == dataset::Storage::jpeg) {
    std::vector<std::uint8_t> stored;
    reader_.read_jpeg(at.split, at.sample, stored);
    return stored;
  }
  image::Image picture(info().image_size, info().image_size);
  reader_.read_images(at.split, {&at.sample, 1}, picture.pixels.data());
  return image::encode_jpeg(picture, jpeg_quality);
}

std::vector<std::uint8_t> PictureSet::pixels(std::int64_t sample) const {
  return image::decode_jpeg(jpeg(sample)).pixels;
}

}  // namespace whorl::readbench
