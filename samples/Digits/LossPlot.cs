using ScottPlot;
using ScottPlot.Plottables;

namespace Digits;

/// <summary>Both loss curves over the time that was spent on training: the same values, sooner.</summary>
internal static class LossPlot
{
    public static void Save(string path, TrainingRun eager, TrainingRun hybridized)
    {
        using Plot plot = new();
        Add(plot, eager, "eager");
        Add(plot, hybridized, "hybridized");
        plot.Title("Digits: the same losses, sooner");
        plot.XLabel("seconds of training");
        plot.YLabel("loss of a batch (logarithm)");
        plot.ShowLegend();
        plot.SavePng(path, 900, 500);
    }

    private static void Add(Plot plot, TrainingRun run, string name)
    {
        double time = 0;
        double[] seconds = Array.ConvertAll(run.Milliseconds, ms => time += ms / 1000);
        double[] losses = Array.ConvertAll(run.Losses, static loss => Math.Log10(Math.Max(loss, 1e-6f)));
        Scatter line = plot.Add.ScatterLine(seconds, losses);
        line.LegendText = $"{name}: {run.MedianStep:F3} ms a step";
    }
}
