using ScottPlot;

namespace Fusion.Peers;

/// <summary>The ratios as bars, one a case, on a logarithmic axis.</summary>
internal static class RatioChart
{
    public static void Save(string path, IReadOnlyList<PeerResult> results)
    {
        PeerResult[] shown = [.. results.Where(static r => r.Threads == 1)];
        using Plot plot = new();
        List<Tick> ticks = [];
        List<Bar> bars = [];
        for (int i = 0; i < shown.Length; i++)
        {
            double ratio = shown[i].Ratio(Contender.Hybridized) ?? shown[i].Ratio(Contender.Eager) ?? 1;
            bars.Add(new Bar { Position = -i, Value = Math.Log2(ratio), FillColor = ratio >= 1 ? Colors.SteelBlue : Colors.IndianRed });
            ticks.Add(new Tick(-i, $"{shown[i].Name}"));
        }

        plot.Add.Bars(bars).Horizontal = true;
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. ticks]);
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. Enumerable.Range(-2, 10).Select(static e => new Tick(e, $"{Math.Pow(2, e):0.##}×"))]);
        plot.Title("LibTorch's time over Fusion's, one thread");
        plot.SavePng(path, 1100, 120 + (18 * shown.Length));
    }

}
