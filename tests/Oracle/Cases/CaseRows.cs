namespace Fusion.Oracle.Cases;

/// <summary>Layers, losses, optimizers, schedules and index expressions, on both sides.</summary>
internal static partial class CaseRows
{
    private static CaseRow[]? s_all;

    public static CaseRow[] All => s_all ??= [.. Layers, .. Pools, .. Norms, .. Recurrents, .. Attentions, .. Losses, .. Optimizers, .. Schedules, .. Indices];
}
