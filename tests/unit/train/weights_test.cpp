// SPDX-License-Identifier: BSD-3-Clause
#include "train/weights.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.hpp"
#include "h5/file.hpp"
#include "h5/seal.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::train {
namespace {

class WeightsFile : public testing::Test {
 protected:
  WeightsFile() {
    weights_.network = nn::make_network("petal", 16, 3, {{0.1F, 0.2F, 0.3F}, {0.4F, 0.5F, 0.6F}});
    weights_.parameters.resize(weights_.network.parameters.size());
    for (const nn::Tensor& tensor : weights_.network.parameters.tensors()) {
      for (std::size_t i = 0; i < tensor.count; ++i)
        weights_.parameters[tensor.offset + i] = static_cast<float>(tensor.offset + i + 1);
    }
    weights_.class_names = {"rose", "tulip", "Löwenzahn"};
    weights_.dataset_digest = "0123";
    save_weights(path_, weights_);
  }

  std::string message_of_loading() const {
    return test::thrown_message<Error>([&] { load_weights(path_); });
  }

  /// With one thing changed by `change`; HDF5 leaves the seal out.
  template <typename Change>
  void rewrite(Change&& change) {
    const hid_t id = H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(id, 0);
    change(id);
    ASSERT_GE(H5Fclose(id), 0);
  }

  test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "weights.h5";
  Weights weights_;
};

TEST_F(WeightsFile, GivesBackWhatWasSaved) {
  const Weights loaded = load_weights(path_);
  EXPECT_EQ(loaded.network.name, "petal");
  EXPECT_EQ(loaded.network.input, weights_.network.input);
  EXPECT_EQ(loaded.network.normalisation.mean, weights_.network.normalisation.mean);
  EXPECT_EQ(loaded.network.normalisation.deviation, weights_.network.normalisation.deviation);
  EXPECT_EQ(loaded.parameters, weights_.parameters);
  EXPECT_EQ(loaded.class_names, weights_.class_names);
  EXPECT_EQ(loaded.dataset_digest, "0123");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1) << "a draft was left";
}

TEST_F(WeightsFile, ItsSealIsLookedAtFirst) {
  rewrite([](hid_t) {});
  EXPECT_NE(message_of_loading().find("is damaged: its seal"), std::string::npos) << message_of_loading();
}

TEST_F(WeightsFile, ATensorThatIsMissingIsNamed) {
  const std::string name = weights_.network.parameters.tensors().back().name;
  rewrite([&](hid_t file) { ASSERT_GE(H5Ldelete(file, name.c_str(), H5P_DEFAULT), 0); });
  h5::seal(path_, {});
  EXPECT_NE(message_of_loading().find("tensor " + name + " is missing"), std::string::npos)
      << message_of_loading();
}

TEST_F(WeightsFile, AChangedValueIsFound) {
  const nn::Tensor& tensor = weights_.network.parameters.tensors().front();
  rewrite([&](hid_t file) {
    const hid_t dataset = H5Dopen2(file, tensor.name.c_str(), H5P_DEFAULT);
    std::vector<float> values(tensor.count, 0.5F);
    ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    H5Dclose(dataset);
  });
  h5::seal(path_, {});
  EXPECT_NE(message_of_loading().find("its weights have the digest"), std::string::npos)
      << message_of_loading();
}

TEST_F(WeightsFile, AShapeThatDiffersIsNamedWithBothShapes) {
  weights_.class_names.emplace_back("fourth");  // the tensors still are those of three classes
  save_weights(path_, weights_);
  EXPECT_NE(message_of_loading().find("has the shape (3, "), std::string::npos) << message_of_loading();
  EXPECT_NE(message_of_loading().find("network has (4, "), std::string::npos) << message_of_loading();
}

TEST_F(WeightsFile, AnotherHdf5FileIsRefused) {
  h5::File::create(path_).close();
  h5::seal(path_, {});
  EXPECT_NE(message_of_loading().find("not a weights file"), std::string::npos) << message_of_loading();
}

}  // namespace
}  // namespace whorl::train
