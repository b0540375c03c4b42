using System.Text.RegularExpressions;

namespace Fusion.Tests.Devices;

/// <summary>How often a kernel has each class of instruction: what moves and computes numbers by its full name, the rest by kind.</summary>
internal static partial class PtxSummary
{
    public static string Of(string ptx)
    {
        SortedDictionary<string, int> counts = new(StringComparer.Ordinal);
        foreach (Match instruction in Instruction().Matches(ptx))
        {
            string name = ClassOf(instruction.Groups[1].Value);
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        return string.Join(", ", counts.Select(static c => $"{c.Value} {c.Key}"));
    }

    // Integer arithmetic is addresses, loops and bits; what it is called differs between versions of the compiler.
    private static string ClassOf(string opcode)
    {
        string kind = opcode.Split('.')[0];
        if (kind is "ld" or "st" or "bar" or "barrier") return opcode;
        if (kind is "mov" or "shfl" or "cvt" or "cvta" or "bra" or "ret" or "setp" or "selp") return kind;
        return opcode.EndsWith(".f32", StringComparison.Ordinal) || opcode.EndsWith(".f64", StringComparison.Ordinal) ? opcode : "integer";
    }

    [GeneratedRegex(@"^\s*(?:@!?%\w+\s+)?([a-z]\w*(?:\.[a-z]\w*)*)\b[^:;]*;", RegexOptions.Multiline)]
    private static partial Regex Instruction();
}
