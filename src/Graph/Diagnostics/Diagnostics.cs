using System.Diagnostics;

namespace Fusion;

/// <summary>Warnings of the compiler: to every trace listener, each text once per process, or once in a thousand texts.</summary>
internal static class Diagnostics
{
    private const int MaxTexts = 1000;

    private static readonly HashSet<string> s_said = [];

    public static void Warn(string message)
    {
        lock (s_said)
        {
            if (s_said.Count == MaxTexts) s_said.Clear();
            if (!s_said.Add(message)) return;
        }

        Trace.TraceWarning("Fusion: " + message);
    }
}
