#include "train/data/check.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/ordered_work.h"
#include "base/parallel.h"
#include "eval/voc_dataset.h"
#include "train/data/item_facts.h"
#include "train/data/sources.h"

namespace deeplab::train {
namespace {

constexpr size_t kMostExamples = 5;  // of one kind of problem are named one by one
constexpr uint8_t kIgnore = 255;

/// A source with its photos and what was found in their files.
struct CheckedSource {
  const SourceOptions* options = nullptr;
  bool is_training = true;
  std::vector<Item> items;
  std::vector<ItemFacts> facts;

  std::string name() const {
    std::string text = options->root;
    if (options->masks) text += " (" + options->split + ")";
    return text;
  }
};

std::string photos(size_t n) { return str_cat(n, n == 1 ? " photo" : " photos"); }
std::string masks(size_t n) { return str_cat(n, n == 1 ? " mask" : " masks"); }

class Checker {
 public:
  explicit Checker(const CheckOptions& options) : options_(options) {}
  Result<DatasetReport> run();

 private:
  void open(const std::vector<SourceOptions>& sources, bool is_training);
  Status read_files();
  void check_readable(const CheckedSource& source);
  void check_sizes(const CheckedSource& source);
  void check_values(const CheckedSource& source);
  void check_black_and_white(const CheckedSource& source);
  void check_listed_twice();
  void check_overlap();
  void check_names();
  void count_classes();
  void check_classes();
  void describe(const CheckedSource& source);
  void describe_classes();
  void add_examples(const std::string& what, const std::vector<std::string>& sentences);
  std::string class_name(size_t id) const;

  const CheckOptions& options_;
  std::vector<CheckedSource> sources_;
  DatasetReport report_;
  std::vector<std::string> names_;  ///< [class_count] empty: not known.
  std::vector<int64_t> labelled_where_shown_;
};

void Checker::open(const std::vector<SourceOptions>& sources, bool is_training) {
  for (const SourceOptions& source : sources) {
    Result<std::vector<Item>> items = list_photos(source, eval::MaskRequirement::kOptional);
    if (!items.ok()) {
      report_.errors.push_back(items.status().message());
      continue;
    }
    CheckedSource checked;
    checked.options = &source;
    checked.is_training = is_training;
    checked.items = std::move(items).value();
    checked.facts.resize(checked.items.size());
    sources_.push_back(std::move(checked));
  }
}

Status Checker::read_files() {
  std::vector<std::pair<CheckedSource*, size_t>> all;
  for (CheckedSource& source : sources_) {
    for (size_t i = 0; i < source.items.size(); ++i) all.emplace_back(&source, i);
  }
  OrderedWorkOptions work;
  work.item_name = "photo";
  DEEPLAB_ASSIGN_OR_RETURN(work.workers, ThreadPool::count_threads(options_.threads));
  return work_on_each(all.size(), work, [&](int, size_t n) -> Status {
    auto [source, i] = all[n];
    source->facts[i] = read_item_facts(source->items[i], source->options->class_map.get());
    return {};
  });
}

/// The first few of a kind one by one, the rest as a number.
void Checker::add_examples(const std::string& what, const std::vector<std::string>& sentences) {
  const size_t shown = std::min(sentences.size(), kMostExamples);
  report_.errors.insert(report_.errors.end(), sentences.begin(),
                        sentences.begin() + static_cast<ptrdiff_t>(shown));
  if (sentences.size() > shown) {
    report_.errors.push_back(str_cat("... and ", sentences.size() - shown, " more ", what));
  }
}

void Checker::check_readable(const CheckedSource& source) {
  std::vector<std::string> no_mask;
  std::vector<std::string> bad_photos;
  std::vector<std::string> bad_masks;
  for (size_t i = 0; i < source.items.size(); ++i) {
    const Item& item = source.items[i];
    const ItemFacts& facts = source.facts[i];
    if (source.options->masks && item.mask_path.empty()) {
      no_mask.push_back(str_cat("no mask ", source.options->root, "/SegmentationClass/", item.id,
                                ".png of the photo ", item.photo_path));
    }
    if (!facts.photo.ok()) bad_photos.push_back(facts.photo.message());
    if (!facts.mask.ok()) bad_masks.push_back(facts.mask.message());
  }
  add_examples("photos without a mask in " + source.name(), no_mask);
  add_examples("photos that cannot be read in " + source.name(), bad_photos);
  add_examples("masks that cannot be used in " + source.name(), bad_masks);
}

void Checker::check_sizes(const CheckedSource& source) {
  std::vector<std::string> sentences;
  for (size_t i = 0; i < source.items.size(); ++i) {
    const ItemFacts& facts = source.facts[i];
    if (!facts.sizes_differ()) continue;
    const bool turned = facts.orientation >= 5 && facts.width == facts.mask_height &&
                        facts.height == facts.mask_width;
    sentences.push_back(str_cat(
        source.items[i].mask_path, " has ", facts.mask_width, "x", facts.mask_height,
        " pixels; its photo ", source.items[i].photo_path, " has ", facts.width, "x", facts.height,
        turned ? str_cat(" when turned as its EXIF orientation ", facts.orientation, " says")
               : ""));
  }
  add_examples("masks of another size than their photo in " + source.name(), sentences);
}

/// One sentence per value: with a class count that is too small, thousands of masks say the same.
void Checker::check_values(const CheckedSource& source) {
  struct Wrong {
    size_t masks = 0;
    int64_t pixels = 0;
    std::string first;
  };
  std::map<uint8_t, Wrong> wrong;
  for (size_t i = 0; i < source.items.size(); ++i) {
    for (const LabelCount& count : source.facts[i].labels) {
      if (count.label < options_.class_count || count.label == kIgnore) continue;
      Wrong& entry = wrong[count.label];
      if (entry.masks++ == 0) entry.first = source.items[i].mask_path;
      entry.pixels += count.pixels;
    }
  }
  std::vector<std::string> sentences;
  for (const auto& [label, entry] : wrong) {
    sentences.push_back(str_cat(
        masks(entry.masks), " of ", source.name(), entry.masks == 1 ? " has" : " have",
        " the value ", int{label}, " (", entry.pixels, " pixels; first ", entry.first,
        "); expected 0 to ", options_.class_count - 1, ", or 255 for pixels that do not count"));
  }
  add_examples("values out of range in " + source.name(), sentences);
}

std::string real_path(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  return error ? path : real.string();
}

/// Object = 255, as drawing programs save a black-and-white mask: eval::check_not_black_and_white()
/// for masks that have been read.
void Checker::check_black_and_white(const CheckedSource& source) {
  const ClassMap* classes = source.options->class_map.get();
  if (classes != nullptr && classes->explains_255()) return;
  size_t count = 0;
  bool has_255 = false;
  for (const ItemFacts& facts : source.facts) {
    count += facts.has_mask();
    for (const LabelCount& label : facts.labels) {
      if (label.label != 0 && label.label != kIgnore) return;
      has_255 = has_255 || label.label == kIgnore;
    }
  }
  if (has_255) report_.errors.push_back(eval::black_and_white_text(source.name(), count, classes));
}

/// Photos drawn more often than their source's weight says.
void Checker::check_listed_twice() {
  std::unordered_map<std::string, const CheckedSource*> seen;
  std::map<std::pair<const CheckedSource*, const CheckedSource*>, std::pair<size_t, std::string>>
      twice;
  for (const CheckedSource& source : sources_) {
    if (!source.is_training) continue;
    for (const Item& item : source.items) {
      const auto [first, is_new] = seen.emplace(real_path(item.photo_path), &source);
      if (is_new) continue;
      auto& [count, example] = twice[{first->second, &source}];
      if (count++ == 0) example = item.photo_path;
    }
  }
  for (const auto& [pair, found] : twice) {
    const auto& [count, example] = found;
    const auto [first, second] = pair;
    report_.warnings.push_back(
        first == second
            ? str_cat(first->name(), " lists twice ", photos(count), ", first ", example)
            : str_cat(photos(count), " of ", second->name(), count == 1 ? " is in " : " are in ",
                      first->name(), ", too, first ", example));
  }
}

/// "a/b.jpg" of a folder and "a/b" of a split are one id.
std::string id_of(const Item& item) {
  const size_t slash = item.id.find_last_of('/');
  const size_t dot = item.id.find_last_of('.');
  const bool has_extension = dot != std::string::npos &&
                             (slash == std::string::npos || dot > slash) &&
                             item.photo_path.ends_with(item.id.substr(dot));
  return has_extension ? item.id.substr(0, dot) : item.id;
}

void Checker::check_overlap() {
  std::unordered_map<std::string, const Item*> by_id;
  std::unordered_map<std::string, const Item*> by_path;
  for (const CheckedSource& source : sources_) {
    if (!source.is_training) continue;
    for (const Item& item : source.items) {
      by_id.emplace(id_of(item), &item);
      by_path.emplace(real_path(item.photo_path), &item);
    }
  }
  for (const CheckedSource& source : sources_) {
    if (source.is_training) continue;
    size_t count = 0;
    std::string example;
    for (const Item& item : source.items) {
      auto found = by_path.find(real_path(item.photo_path));
      if (found == by_path.end()) {
        found = by_id.find(id_of(item));
        if (found == by_id.end()) continue;
      }
      if (count++ == 0) example = str_cat(item.photo_path, " and ", found->second->photo_path);
    }
    if (count == 0) continue;
    report_.warnings.push_back(str_cat(photos(count), " of ", source.name(), " for validation",
                                       count == 1 ? " has" : " have",
                                       " the id of a photo for training; first ", example));
  }
}

/// Two class maps that give one id two names would teach two things at once.
void Checker::check_names() {
  std::map<size_t, std::pair<std::string, std::string>> known;  // id -> name and who says so
  const auto meet = [&](const std::vector<std::string>& names, const std::string& file) {
    for (size_t id = 0; id < names.size(); ++id) {
      if (names[id].empty()) continue;
      const auto [first, is_new] = known.emplace(id, std::pair(names[id], file));
      if (is_new || first->second.first == names[id]) continue;
      report_.errors.push_back(str_cat(file, " calls class ", id, " '", names[id], "' and ",
                                       first->second.second, " '", first->second.first, "'"));
    }
  };
  meet(options_.class_names, "the list of class names");
  for (const CheckedSource& source : sources_) {
    if (const ClassMap* classes = source.options->class_map.get()) {
      meet(classes->class_names(), classes->name());
    }
  }
  names_.resize(static_cast<size_t>(options_.class_count));
  for (const auto& [id, entry] : known) {
    if (id < names_.size()) names_[id] = entry.first;
  }
}

void Checker::count_classes() {
  const auto classes = static_cast<size_t>(options_.class_count);
  report_.class_pixels.assign(classes, 0);
  report_.class_photos.assign(classes, 0);
  labelled_where_shown_.assign(classes, 0);
  for (const CheckedSource& source : sources_) {
    if (!source.is_training) continue;
    for (const ItemFacts& facts : source.facts) {
      int64_t labelled = 0;
      for (const LabelCount& count : facts.labels) {
        (count.label == kIgnore ? report_.ignored_pixels : labelled) += count.pixels;
      }
      for (const LabelCount& count : facts.labels) {
        if (count.label >= classes) continue;
        report_.class_pixels[count.label] += count.pixels;
        ++report_.class_photos[count.label];
        labelled_where_shown_[count.label] += labelled;
      }
    }
  }
  report_.class_weights = median_frequency_weights(report_.class_pixels, labelled_where_shown_);
}

std::string Checker::class_name(size_t id) const {
  return names_[id].empty() ? str_cat(id) : str_cat(id, " (", names_[id], ")");
}

void Checker::check_classes() {
  const bool has_masks = std::any_of(sources_.begin(), sources_.end(), [](const auto& source) {
    return source.is_training && source.options->masks;
  });
  if (!has_masks) return;
  std::string missing;
  size_t count = 0;
  for (size_t c = 0; c < report_.class_pixels.size(); ++c) {
    if (report_.class_pixels[c] > 0) continue;
    missing += (count++ == 0 ? "" : ", ") + class_name(c);
  }
  if (count == 0) return;
  (options_.allow_missing_classes ? report_.warnings : report_.errors)
      .push_back(str_cat("no training mask has a pixel of class ", missing));
}

void Checker::describe(const CheckedSource& source) {
  int32_t least[2] = {std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::max()};
  int32_t most[2] = {0, 0};
  size_t with_mask = 0;
  for (const ItemFacts& facts : source.facts) {
    with_mask += facts.has_mask() ? 1 : 0;
    if (!facts.photo.ok()) continue;
    const int32_t sides[2] = {facts.width, facts.height};
    for (int i = 0; i < 2; ++i) {
      least[i] = std::min(least[i], sides[i]);
      most[i] = std::max(most[i], sides[i]);
    }
  }
  std::string text =
      str_cat(source.name(), ": ", photos(source.items.size()), " for ",
              source.is_training ? "training, " : "validation, ", with_mask, " with masks");
  if (most[0] > 0) {
    text += str_cat(", ", least[0], " to ", most[0], " pixels wide and ", least[1], " to ", most[1],
                    " high");
  }
  report_.facts.push_back(std::move(text));
}

void Checker::describe_classes() {
  int64_t labelled = 0;
  for (const int64_t pixels : report_.class_pixels) labelled += pixels;
  if (labelled == 0) return;
  const auto all = static_cast<double>(labelled);
  report_.facts.push_back("  share of pixels   photos   weight   class");
  for (size_t c = 0; c < report_.class_pixels.size(); ++c) {
    char numbers[64];
    std::snprintf(numbers, sizeof(numbers), "%15.3f %%  %7lld  %7.3f   ",
                  100 * static_cast<double>(report_.class_pixels[c]) / all,
                  static_cast<long long>(report_.class_photos[c]), report_.class_weights[c]);
    report_.facts.push_back(numbers + class_name(c));
  }
  char ignored[64];
  std::snprintf(ignored, sizeof(ignored), "%.3f %% of all pixels are 255 and do not count",
                100 * static_cast<double>(report_.ignored_pixels) /
                    (all + static_cast<double>(report_.ignored_pixels)));
  report_.facts.push_back(ignored);
}

Result<DatasetReport> Checker::run() {
  open(options_.training, true);
  open(options_.validation, false);
  DEEPLAB_RETURN_IF_ERROR(read_files());
  for (const CheckedSource& source : sources_) {
    check_readable(source);
    check_sizes(source);
    check_values(source);
    check_black_and_white(source);
    describe(source);
  }
  check_listed_twice();
  check_overlap();
  check_names();
  count_classes();
  check_classes();
  describe_classes();
  return std::move(report_);
}

}  // namespace

std::vector<double> median_frequency_weights(const std::vector<int64_t>& class_pixels,
                                             const std::vector<int64_t>& labelled_where_shown) {
  std::vector<double> weights(class_pixels.size(), 1.0);
  std::vector<double> frequencies;
  for (size_t c = 0; c < class_pixels.size(); ++c) {
    if (class_pixels[c] == 0) continue;
    weights[c] =
        static_cast<double>(class_pixels[c]) / static_cast<double>(labelled_where_shown[c]);
    frequencies.push_back(weights[c]);
  }
  if (frequencies.empty()) return weights;
  std::sort(frequencies.begin(), frequencies.end());
  const size_t n = frequencies.size();
  const double median = (frequencies[(n - 1) / 2] + frequencies[n / 2]) / 2;
  for (size_t c = 0; c < class_pixels.size(); ++c) {
    if (class_pixels[c] > 0) weights[c] = median / weights[c];
  }
  return weights;
}

Result<DatasetReport> check_datasets(const CheckOptions& options) {
  if (options.training.empty()) return invalid_argument("no training data: no source is given");
  if (options.class_count < 1 || options.class_count > 255) {
    return invalid_argument(options.class_count, " classes are out of range; expected 1 to 255");
  }
  return Checker(options).run();
}

}  // namespace deeplab::train
