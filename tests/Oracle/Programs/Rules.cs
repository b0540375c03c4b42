namespace Fusion.Oracle.Programs;

/// <summary>All operators that random programs are made of, on both sides.</summary>
internal static partial class Rules
{
    private static Rule[]? s_all;

    public static Rule[] All => s_all ??=
        [.. Views, .. Arithmetic, .. Masks, .. Casts, .. Reductions, .. Orders, .. Joins, .. Indexing, .. Writes, .. Products, .. Windows, .. FromTable()];

    private static bool IsFloat(params ReadOnlySpan<NDArray> arrays)
    {
        foreach (NDArray x in arrays)
            if (!x.DType.IsFloat) return false;
        return true;
    }

    private static bool IsBool(NDArray x) => x.DType == DType.Bool;
}
