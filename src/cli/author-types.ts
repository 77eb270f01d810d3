// The types that editors and `derive check` read, as text: scripts/types.ts made them from this program's sources.
import derive from "../../build/derive.d.ts.txt" with { type: "text" };

export { derive };
