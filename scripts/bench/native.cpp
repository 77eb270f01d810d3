// What an engineer would write natively in a day: libsnappy, a protobuf scan, simdjson's On-Demand parser, CSV out. It
// trusts its input: no resync, no limits, no books, no second era.
// g++ -O3 -march=native -std=c++17 native.cpp -o native -lsnappy -lsimdjson
// native main|executive <out.csv> <in.heka>...: JSON with the number of rows on stdout
#include <snappy.h>
#include <simdjson.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

using std::string_view;

// simdjson reads beyond the end of what it parses.
constexpr size_t PADDING = simdjson::SIMDJSON_PADDING;

struct Bytes {
  const uint8_t *at;
  const uint8_t *end;

  bool empty() const { return at >= end; }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; at < end && shift < 64; shift += 7) {
      const uint8_t byte = *at++;
      value |= uint64_t(byte & 127) << shift;
      if (byte < 128) break;
    }
    return value;
  }

  Bytes take(uint64_t length) {
    if (length > uint64_t(end - at)) length = end - at;
    Bytes taken{at, at + length};
    at += length;
    return taken;
  }

  /** The content of a member with this tag; varints are left empty, with their value in `number`. */
  Bytes member(uint64_t tag, uint64_t &number) {
    number = 0;
    switch (tag & 7) {
    case 0:
      number = varint();
      return {at, at};
    case 1:
      return take(8);
    case 5:
      return take(4);
    default:
      return take(varint());
    }
  }

  string_view text() const { return {reinterpret_cast<const char *>(at), size_t(end - at)}; }
};

/** One wanted field of a message. */
struct Value {
  bool is_there = false;
  string_view text;
  double number = 0;
};

/** The wanted fields, by name; what a message has of them. */
class Message {
public:
  explicit Message(std::initializer_list<string_view> names) : values(names.size()) {
    for (const auto name : names) places.emplace(name, places.size());
  }

  void read(Bytes message) {
    for (auto &value : values) value.is_there = false;
    while (!message.empty()) {
      uint64_t number;
      const uint64_t tag = message.varint();
      const Bytes content = message.member(tag, number);
      if (tag == (10 << 3 | 2)) read_field(content);
    }
  }

  const Value &operator[](size_t place) const { return values[place]; }

private:
  void read_field(Bytes field) {
    Value *value = nullptr;
    while (!field.empty()) {
      uint64_t number;
      const uint64_t tag = field.varint();
      const Bytes content = field.member(tag, number);
      const int member = int(tag >> 3);
      if (member == 1) {
        const auto place = places.find(content.text());
        if (place == places.end() || values[place->second].is_there) return;
        value = &values[place->second];
      }
      if (value == nullptr || member < 4 || member > 8) continue;
      value->is_there = true;
      if (member == 4 || member == 5) value->text = content.text();
      else if (member == 7 && content.end - content.at >= 8) std::memcpy(&value->number, content.at, 8);
      else if (member == 6 || member == 8) {
        Bytes packed = content;
        value->number = double(packed.empty() ? number : packed.varint());
      }
    }
  }

  std::unordered_map<string_view, size_t> places;
  std::vector<Value> values;
};

/** Lines of CSV, written when they are many. */
class Csv {
public:
  explicit Csv(const char *path) : file(std::fopen(path, "wb")) {
    if (file == nullptr) std::exit(3);
  }
  ~Csv() {
    flush();
    std::fclose(file);
  }
  void text(string_view value) {
    const bool quoted = value.find_first_of("\",\n") != string_view::npos;
    if (quoted) lines += '"';
    for (const char one : quoted ? value : string_view()) lines.append(one == '"' ? 2 : 1, one);
    if (quoted) lines += '"';
    else lines += value;
    lines += ',';
  }
  void number(double value) {
    char digits[32];
    lines.append(digits, std::snprintf(digits, sizeof digits, "%.17g,", value));
  }
  void integer(long value) {
    lines += std::to_string(value);
    lines += ',';
  }
  void end_row() {
    lines.back() = '\n';
    rows++;
    if (lines.size() > 1 << 20) flush();
  }
  size_t rows = 0;

private:
  void flush() {
    std::fwrite(lines.data(), 1, lines.size(), file);
    lines.clear();
  }
  std::FILE *file;
  std::string lines;
};

/** ExampleStream's 21 columns. */
class MainRows {
public:
  void write(Bytes bytes, Csv &csv) {
    message.read(bytes);
    for (size_t place : {docType, submissionDate, creationTimestamp, clientId, documentId, profile, system, settings,
                         info, keyed})
      if (!message[place].is_there) return;
    const auto type = message[docType].text;
    if (type != "main" && type != "crash") return;

    int64_t integer;
    double created = 0, hours = 0;
    bool is_default = false;
    string_view version;
    {
      auto parsed = parse(profile);
      if (!parsed["creationDate"].get(integer)) created = double(integer) * 86400e9;
    }
    std::string os_version; // its parse ends before it is written
    {
      auto parsed = parse(system);
      if (!parsed["os"]["version"].get(version)) os_version = version;
    }
    {
      auto parsed = parse(settings);
      if (bool value; !parsed["isDefaultBrowser"].get(value)) is_default = value;
    }
    {
      auto parsed = parse(info);
      if (!parsed["subsessionLength"].get(integer) && integer > 0 && integer < 180 * 86400) hours = integer / 3600.0;
    }
    long counts[4] = {};
    {
      auto parsed = parse(keyed);
      simdjson::ondemand::object searches;
      if (!parsed["SEARCH_COUNTS"].get(searches)) {
        for (auto entry : searches) {
          string_view engine;
          if (entry.unescaped_key().get(engine)) break;
          const int place = engine_of(engine);
          if (!entry.value()["sum"].get(integer)) counts[place] += integer;
        }
      }
    }

    csv.text(type);
    csv.text(message[submissionDate].text);
    csv.number(message[creationTimestamp].number);
    csv.number(created);
    for (size_t place : {clientId, documentId, country, channel, os}) csv.text(text_of(place));
    csv.text(os_version);
    csv.text(is_default ? "true" : "false");
    for (size_t place : {build, app, app_version, vendor, reason}) csv.text(text_of(place));
    csv.number(hours);
    for (const long count : counts) csv.integer(count);
    csv.end_row();
  }

private:
  enum Place : size_t {
    docType, submissionDate, creationTimestamp, clientId, documentId, country, channel, os, build, app, app_version,
    vendor, reason, profile, system, settings, info, keyed,
  };
  Message message{"docType",        "submissionDate",       "creationTimestamp",  "clientId",
                  "documentId",     "geoCountry",           "appUpdateChannel",   "os",
                  "appBuildId",     "appName",              "appVersion",         "appVendor",
                  "reason",         "environment.profile",  "environment.system", "environment.settings",
                  "payload.info",   "payload.keyedHistograms"};
  simdjson::ondemand::parser parser;

  string_view text_of(size_t place) const { return message[place].is_there ? message[place].text : string_view(); }

  /** A section, in place: the buffer goes on behind it. */
  simdjson::ondemand::document parse(size_t place) {
    const auto text = message[place].text;
    simdjson::ondemand::document document;
    if (parser.iterate(text.data(), text.size(), text.size() + PADDING).get(document)) std::exit(4);
    return document;
  }

  static int engine_of(string_view key) {
    const string_view names[] = {"google", "yahoo", "bing"};
    for (int place = 0; place < 3; place++) {
      const auto name = names[place];
      if (key.size() >= name.size() && (key[0] | 32) == name[0] && key.substr(1, name.size() - 1) == name.substr(1))
        return place;
    }
    return 3;
  }
};

/** ExecutiveStream's 22 columns. */
class ExecutiveRows {
public:
  void write(Bytes bytes, Csv &csv) {
    message.read(bytes);
    for (size_t place : {0, 1, 2, 4, 5, 10})
      if (!message[place].is_there) return;
    for (size_t place = 0; place < 22; place++) {
      const auto &value = message[place];
      if (place == 2 || place == 3 || place == 16) csv.number(value.is_there ? value.number : 0);
      else if (place == 10) csv.text(value.number != 0 ? "true" : "false");
      else if (place > 16) csv.integer(value.is_there ? long(value.number) : 0);
      else csv.text(value.is_there ? value.text : string_view());
    }
    csv.end_row();
  }

private:
  Message message{"docType", "submissionDate", "activityTimestamp", "profileCreationTimestamp", "clientId",
                  "documentId", "country", "channel", "os", "osVersion", "default", "buildId", "app", "version",
                  "vendor", "reason", "hours", "google", "yahoo", "bing", "other", "pluginHangs"};
};

template <class Rows> void read_object(const char *path, Rows &rows, Csv &csv) {
  const int file = open(path, O_RDONLY);
  struct stat facts;
  if (file < 0 || fstat(file, &facts) != 0) std::exit(3);
  std::vector<uint8_t> object(facts.st_size);
  for (size_t at = 0; at < object.size();) {
    const ssize_t got = read(file, object.data() + at, object.size() - at);
    if (got <= 0) std::exit(3);
    at += got;
  }
  close(file);
  std::unique_ptr<char[]> message;
  size_t room = 0;
  for (Bytes rest{object.data(), object.data() + object.size()}; !rest.empty();) {
    rest.take(1); // the mark
    const uint8_t header_length = *rest.take(1).at;
    Bytes header = rest.take(header_length);
    rest.take(1); // the separator
    header.varint();
    const auto stored = rest.take(header.varint()).text();
    size_t length;
    if (!snappy::GetUncompressedLength(stored.data(), stored.size(), &length)) std::exit(4);
    if (length + PADDING > room) message.reset(new char[room = 2 * (length + PADDING)]);
    if (!snappy::RawUncompress(stored.data(), stored.size(), message.get())) std::exit(4);
    const auto *start = reinterpret_cast<const uint8_t *>(message.get());
    rows.write({start, start + length}, csv);
  }
}

template <class Rows> size_t run(int argc, char **argv) {
  Rows rows;
  Csv csv(argv[2]);
  for (int input = 3; input < argc; input++) read_object(argv[input], rows, csv);
  return csv.rows;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const size_t rows = string_view(argv[1]) == "main" ? run<MainRows>(argc, argv) : run<ExecutiveRows>(argc, argv);
  std::printf("{\"rows\": %zu}\n", rows);
}
