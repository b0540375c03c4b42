using ScottPlot;

namespace Fusion.Peers.Reports;

/// <summary>Two pictures: ratios of all cases, and the part of the physical limit that is reached; one bar a case on one thread, areas one above the other.</summary>
internal static class Charts
{
    public static void Save(string folder, IReadOnlyList<PeerResult> results)
    {
        int threads = results.Count == 0 ? 1 : results.Min(static r => r.Threads);
        PeerResult[] single = [.. results.Where(r => r.Threads == threads)];
        Bars(Path.Combine(folder, "ratios.png"), $"LibTorch's time over Fusion's, {threads} thread(s)", [.. single.Select(static r => (r, r.Ratio(r.Ours)))], Math.Log2,
            [.. Enumerable.Range(-2, 10).Select(static e => new Tick(e, $"{Math.Pow(2, e):0.##}×"))], static value => value >= 1);
        Bars(Path.Combine(folder, "limits.png"), $"The part of the physical limit, {threads} thread(s)", [.. single.Select(static r => (r, r.OfLimit(r.Ours)))], static value => value,
            [.. Enumerable.Range(0, 6).Select(static i => new Tick(i / 5.0, $"{20 * i} %"))], static value => value >= 0.5);
    }

    private static void Bars(string path, string title, (PeerResult Result, double? Value)[] values, Func<double, double> scale, Tick[] axis, Func<double, bool> isGood)
    {
        (PeerResult Result, double Value)[] shown = [.. values.Where(static v => v.Value > 0).Select(static v => (v.Result, v.Value!.Value))];
        if (shown.Length == 0) return;
        using Plot plot = new();
        List<Tick> ticks = [];
        List<Bar> bars = [];
        int position = 0;
        foreach (IGrouping<string, (PeerResult Result, double Value)> area in shown.GroupBy(static v => v.Result.Area))
        {
            ticks.Add(new Tick(-position++, area.Key.ToUpperInvariant()));
            foreach ((PeerResult result, double value) in area)
            {
                bars.Add(new Bar { Position = -position, Value = scale(value), FillColor = isGood(value) ? Colors.SteelBlue : Colors.IndianRed, LineWidth = 0 });
                ticks.Add(new Tick(-position++, result.Name));
            }

            position++;
        }

        plot.Add.Bars(bars).Horizontal = true;
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. ticks]);
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(axis);
        plot.Axes.SetLimitsY(-position, 1);
        plot.Title(title);
        plot.SavePng(path, 1100, 120 + (17 * position));
    }
}
