"""Forms in versions: which one counts where and when, drafts, publishing, taking back."""
