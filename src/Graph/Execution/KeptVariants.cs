namespace Fusion;

/// <summary>The variants of a function. Another list takes its place when one is added, or all are forgotten: calls under way cannot bring one back.</summary>
/// <param name="all">The variants.</param>
/// <param name="last">The one that was used last, which is tried first.</param>
internal sealed class KeptVariants(HybridVariant[] all, HybridVariant? last = null)
{
    public HybridVariant[] All => all;

    public HybridVariant? Last { get; set; } = last;
}
