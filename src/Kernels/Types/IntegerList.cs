using System.Globalization;

namespace Fusion.Kernels;

/// <summary>Integers in messages, the same in every culture: negative ones too.</summary>
internal static class IntegerList
{
    public static string Text(params IEnumerable<int> values) => string.Join(", ", values.Select(static v => v.ToString(CultureInfo.InvariantCulture)));
}
