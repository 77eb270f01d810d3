// Reads the files of reader-files.ts with parquet-java's AvroParquetReader and with Iceberg's Parquet reader, and prints the rows
// as JSON, a file a line: {"reader": "…", "file": "…", "rows": […]} or {…, "error": "…"}. readers.py compares them.
import java.io.File;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.time.*;
import java.util.*;
import org.apache.avro.Conversions;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.*;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.iceberg.Files;
import org.apache.iceberg.data.Record;
import org.apache.iceberg.data.parquet.GenericParquetReaders;
import org.apache.iceberg.mapping.MappingUtil;
import org.apache.iceberg.parquet.Parquet;
import org.apache.iceberg.parquet.ParquetSchemaUtil;
import org.apache.parquet.avro.AvroParquetReader;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;

public class Readers {
  static final PrintStream OUT = new PrintStream(System.out, true);

  public static void main(String[] args) throws Exception {
    File[] files = new File(args[0]).listFiles((folder, name) -> name.endsWith(".parquet"));
    Arrays.sort(files);
    for (File file : files) {
      report("parquet-avro", file, () -> avro(file));
      report("iceberg-parquet", file, () -> iceberg(file));
    }
  }

  interface Read { List<String> rows() throws Exception; }

  static void report(String reader, File file, Read read) {
    String head = "{\"reader\":\"" + reader + "\",\"file\":" + text(file.getName());
    try {
      OUT.println(head + ",\"rows\":[" + String.join(",", read.rows()) + "]}");
    } catch (Throwable error) {
      OUT.println(head + ",\"error\":" + text(error.getClass().getSimpleName() + ": " + String.valueOf(error.getMessage()).split("\n")[0]) + "}");
    }
  }

  static List<String> avro(File file) throws Exception {
    List<String> rows = new ArrayList<>();
    GenericData model = new GenericData();
    try (ParquetReader<GenericRecord> reader = AvroParquetReader.<GenericRecord>builder(HadoopInputFile.fromPath(new Path(file.toURI()), new Configuration())).withDataModel(model).build()) {
      for (GenericRecord row = reader.read(); row != null; row = reader.read()) rows.add(json(row, row.getSchema()));
    }
    return rows;
  }

  static List<String> iceberg(File file) throws Exception {
    org.apache.parquet.schema.MessageType type;
    try (ParquetFileReader reader = ParquetFileReader.open(HadoopInputFile.fromPath(new Path(file.toURI()), new Configuration()))) {
      type = reader.getFileMetaData().getSchema();
    }
    org.apache.iceberg.Schema schema = ParquetSchemaUtil.convert(type);
    List<String> rows = new ArrayList<>();
    try (var records = Parquet.read(Files.localInput(file)).project(schema).withNameMapping(MappingUtil.create(schema))
        .createReaderFunc(message -> GenericParquetReaders.buildReader(schema, message)).<Record>build()) {
      for (Record row : records) rows.add(json(row, null));
    }
    return rows;
  }

  static String json(Object value, Schema schema) {
    if (schema != null && schema.getType() == Schema.Type.UNION) {
      if (value == null) return "null";
      schema = schema.getTypes().get(GenericData.get().resolveUnion(schema, value));
      return json(value, schema);
    }
    if (schema != null && value != null && schema.getLogicalType() instanceof LogicalTypes.Decimal decimal) {
      if (value instanceof GenericFixed fixed) return text(new Conversions.DecimalConversion().fromFixed(fixed, schema, decimal).toPlainString());
      if (value instanceof ByteBuffer bytes) return text(new Conversions.DecimalConversion().fromBytes(bytes, schema, decimal).toPlainString());
    }
    if (value == null) return "null";
    if (value instanceof Boolean) return value.toString();
    if (value instanceof Float || value instanceof Double) {
      double number = ((Number) value).doubleValue();
      return Double.isFinite(number) ? value.toString() : text(value.toString());
    }
    if (value instanceof BigDecimal decimal) return text(decimal.toPlainString());
    if (value instanceof Number) return value.toString();
    if (value instanceof GenericFixed fixed) return bytes(fixed.bytes());
    if (value instanceof byte[] bytes) return bytes(bytes);
    if (value instanceof ByteBuffer buffer) { byte[] bytes = new byte[buffer.remaining()]; buffer.duplicate().get(bytes); return bytes(bytes); }
    if (value instanceof OffsetDateTime time) return text(time.toLocalDateTime().toString());
    if (value instanceof GenericRecord record) {
      List<String> members = new ArrayList<>();
      for (Schema.Field field : record.getSchema().getFields()) members.add(text(field.name()) + ":" + json(record.get(field.pos()), field.schema()));
      return "{" + String.join(",", members) + "}";
    }
    if (value instanceof Record record) {
      List<String> members = new ArrayList<>();
      for (var field : record.struct().fields()) members.add(text(field.name()) + ":" + json(record.getField(field.name()), null));
      return "{" + String.join(",", members) + "}";
    }
    if (value instanceof Map<?, ?> map) {
      List<String> members = new ArrayList<>();
      for (var entry : map.entrySet()) members.add(text(entry.getKey().toString()) + ":" + json(entry.getValue(), schema == null ? null : schema.getValueType()));
      return "{" + String.join(",", members) + "}";
    }
    if (value instanceof Collection<?> list) {
      List<String> items = new ArrayList<>();
      for (Object item : list) items.add(json(item, schema == null ? null : schema.getElementType()));
      return "[" + String.join(",", items) + "]";
    }
    return text(value.toString());
  }

  /** Bytes as text of Latin-1, as readers.py expects them. */
  static String bytes(byte[] bytes) { return text(new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1)); }

  static String text(String value) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : value.toCharArray()) {
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < 0x20 || c > 0x7e) out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    return out.append('"').toString();
  }
}
