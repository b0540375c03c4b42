using System.Globalization;

namespace Fusion.Tests;

/// <summary>A culture that writes numbers as no program expects them: another minus sign, a comma for the point, words for what is no number.</summary>
internal static class OddCulture
{
    private static readonly CultureInfo s_culture = Create();

    /// <summary>What a call that must fail says in the usual culture and in this one.</summary>
    public static (string? Usual, string? Odd) Messages(Action call)
    {
        Exception? usual = Catch(call), odd;
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = s_culture;
        try
        {
            odd = Catch(call);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        // Read in the usual culture: the runtime adds the actual value when it is asked.
        return (usual?.Message, odd?.Message);
    }

    private static Exception? Catch(Action call)
    {
        try
        {
            call();
            return null;
        }
#pragma warning disable CA1031 // whatever it is, its text is compared
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e;
        }
    }

    private static CultureInfo Create()
    {
        CultureInfo culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NegativeSign = "minus ";
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.NaNSymbol = "no number";
        culture.NumberFormat.PositiveInfinitySymbol = "endless";
        return culture;
    }
}
