#include "train/run/log_writer.h"

#include <utility>

namespace deeplab::train {

Status LogWriter::open(const std::string& directory, const nlohmann::json& first_line,
                       int64_t first_step) {
  const bool fresh = first_step == 0;
  const std::string path = directory + "/metrics.jsonl";
  file_.open(path, fresh ? std::ios::trunc : std::ios::app);
  if (!file_) return io_error(path, ": cannot be written");
  if (!fresh) file_ << '\n';  // after a line that a killed run left torn
  if (fresh) file_ << first_line.dump() << '\n';
  DEEPLAB_ASSIGN_OR_RETURN(EventFile events, EventFile::open(directory, first_step));
  events_.emplace(std::move(events));
  return events_->add_text("options", first_step, "```json\n" + first_line.dump(2) + "\n```");
}

Status LogWriter::add(const nlohmann::json& line, int64_t step, const std::string& group) {
  file_ << line.dump() << std::endl;
  for (const auto& [key, value] : line.items()) {
    if (key == "step" || !value.is_number()) continue;
    DEEPLAB_RETURN_IF_ERROR(events_->add_scalar(group + "/" + key, step, value.get<double>()));
  }
  return file_ ? Status() : io_error("metrics.jsonl cannot be written");
}

}  // namespace deeplab::train
